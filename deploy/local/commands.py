"""The project's own processes: web, beat, relay, one worker per pool, and the mail catcher."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from apps.core.queues import Pool

from .command import Command
from .ports import HOST

ROOT = Path(__file__).resolve().parents[2]
PYTHON = (sys.executable, "-m")
CELERY = (*PYTHON, "celery", "--quiet", "-A", "intelliwiz_config")  # quiet: without its banner


def mail(port: int, folder: Path) -> Command:
    arguments = (sys.executable, str(Path(__file__).with_name("mail.py")), HOST, str(port), str(folder))
    return Command(name="mail", arguments=arguments, ready_text="catching mails", quiet=True)


def web(port: int, environment: Mapping[str, str]) -> Command:
    options = (
        f"--bind={HOST}:{port}",
        "--threads=4",
        "--graceful-timeout=3",
        "--no-control-socket",
        "--access-logfile=-",
    )
    arguments = (*PYTHON, "gunicorn", "intelliwiz_config.wsgi", *options)
    return Command(name="web", arguments=arguments, environment=environment, death_signal=signal.SIGKILL)


def beat(environment: Mapping[str, str]) -> Command:
    arguments = (*CELERY, "beat", "--loglevel=info")
    return Command(name="beat", arguments=arguments, environment=environment)


def relay(environment: Mapping[str, str]) -> Command:
    arguments = (sys.executable, str(ROOT / "manage.py"), "jobs", "relay")
    return Command(name="relay", arguments=arguments, environment=environment)


def worker(pool: Pool, environment: Mapping[str, str], *options: str) -> Command:
    """The worker of one pool; it is ready once it consumes from its queues.

    It does not wait a second for its neighbours to tell what they know (mingle), so it is back sooner.
    """
    arguments = (*CELERY, "worker", *pool.worker_arguments(), "--loglevel=info", "--without-mingle", *options)
    return Command(
        name=pool.name,
        arguments=arguments,
        environment=environment,
        death_signal=signal.SIGKILL,
        ready_text=" ready.",
    )
