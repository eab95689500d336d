"""The embedded servers as other commands see them: started by one process, used by any."""

import os
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from urllib.parse import urlsplit

from intelliwiz_config import local_services
from intelliwiz_config.local_services import LocalServices

from . import ports
from .errors import LocalError
from .stack import Stack

PATIENCE = 60.0  # seconds for servers that another process is starting
NAMES = {
    "database_url": "DATABASE_URL",
    "broker_url": "BROKER_URL",
    "result_url": "RESULT_URL",
    "smtp_url": "SMTP_URL",
}


@contextmanager
def serving(stack: Stack) -> Iterator[None]:
    """Starts the servers that the environment does not name, and tells others where they are."""
    named = {field: os.environ[name] for field, name in NAMES.items() if os.environ.get(name)}
    refuse_silent_servers(named)
    needed = {"postgres"} - ({"postgres"} if "database_url" in named else set())
    if not {"broker_url", "result_url"} <= named.keys():
        needed.add("valkey")
    services = stack.start_servers(needed)
    if "smtp_url" not in named:
        stack.start_mail()
    stack.services = replace(services, **named)
    stack.services.save(stack.state_dir)
    try:
        yield
    finally:
        local_services.forget(stack.state_dir)


def refuse_silent_servers(named: dict[str, str]) -> None:
    """Raises LocalError for an address of the environment at which nobody listens."""
    for field, url in named.items():
        address = urlsplit(url)
        if address.hostname == ports.HOST and address.port and not ports.answers(address.port):
            raise LocalError(
                f"Nobody answers at the {NAMES[field]} of your environment: "
                f"start that server, or `unset {' '.join(NAMES.values())}` to use the embedded ones."
            )


def await_servers(state_dir: Path) -> LocalServices:
    """The addresses of servers that another process has started or is starting."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        services = local_services.load(state_dir)
        if services.are_up():
            return services
        time.sleep(0.1)
    raise LocalError("The embedded servers do not answer: end them with `make stop` and repeat.")


def exports(services: LocalServices) -> str:
    """Lines for a shell to evaluate."""
    return "\n".join(f"export {NAMES[field]}={shlex.quote(url)}" for field, url in asdict(services).items())
