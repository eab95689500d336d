"""Makes the virtual environment `.venv` out of deploy/requirements-dev.lock, or repairs it.

The Makefile runs this with the system's python3 before everything else, so it needs nothing but Python itself and is
written to be read by old versions too, which it turns away. A stamp that is written last says what the environment
was made of: an environment without it is half-made, one with another stamp is out of date, and both are made anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

OLDEST_PYTHON = (3, 11)
CHECKOUT = Path(__file__).resolve().parents[2]
STAMP = "made-of"
NETWORK_TROUBLE = (
    "NewConnectionError",
    "name resolution",
    "Connection refused",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Network is unreachable",
    "ProxyError",
)


class EnvironmentTrouble(Exception):  # noqa: N818 - its message is what the user reads
    """The environment cannot be made; the message is one line and says what to do."""


def main(checkout: Path = CHECKOUT) -> None:
    try:
        ensure(checkout / ".venv", checkout / "deploy" / "requirements-dev.lock")
    except EnvironmentTrouble as trouble:
        sys.exit(f"{trouble}")
    except KeyboardInterrupt:
        sys.exit("Interrupted: the environment is half-made; the next call makes it anew.")


def ensure(environment: Path, lock: Path) -> None:
    """Makes `environment` from `lock` unless it is up to date. Raises EnvironmentTrouble."""
    refuse_old_python(sys.version_info[:2])
    wanted = stamp(environment, lock)
    if is_made_of(environment, wanted):
        return
    refuse_missing_modules()
    try:
        with only_one_at_a_time(environment.parent):
            if not is_made_of(environment, wanted):
                make(environment, lock)
                (environment / STAMP).write_text(wanted)
    except OSError as error:
        raise EnvironmentTrouble(
            f"{error.filename or environment} cannot be written ({error.strerror}): "
            "give this user the right to, or free some disk space, and repeat."
        ) from None


def stamp(environment: Path, lock: Path) -> str:
    """What an environment at this place, of this Python and this lock, is known by."""
    digest = hashlib.sha256(lock.read_bytes()).hexdigest()
    return f"{digest} python {platform.python_version()} at {environment.resolve()}\n"


def is_made_of(environment: Path, wanted: str) -> bool:
    """Whether the environment is whole and up to date; its interpreter may be gone with an upgrade of the system."""
    try:
        return (environment / STAMP).read_text() == wanted and (environment / "bin" / "python").exists()
    except OSError:
        return False


def refuse_old_python(version: tuple[int, ...]) -> None:
    if tuple(version) < OLDEST_PYTHON:
        needed, found = (".".join(map(str, numbers)) for numbers in (OLDEST_PYTHON, version))
        raise EnvironmentTrouble(
            f"Python {needed} or newer is needed and python3 is {found}: "
            "install a newer one and repeat with its name, as in `make PYTHON=python3.11 …`."
        )


def refuse_missing_modules() -> None:
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            raise EnvironmentTrouble(
                f"python3 lacks its module {module}: install it and repeat "
                "(on Debian and Ubuntu: apt-get install python3-venv)."
            )


@contextlib.contextmanager
def only_one_at_a_time(folder: Path) -> Iterator[None]:
    """Locks the folder itself, so that no lock file stays behind."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def make(environment: Path, lock: Path) -> None:
    repaired = " anew" if environment.exists() else ""
    say(f"Making the environment {environment.name}{repaired}; this takes a minute …")
    if environment.is_symlink():
        environment.unlink()
    elif environment.exists():
        shutil.rmtree(environment)
    # The interpreter that an active environment was made of: that environment may be the one just removed.
    python = getattr(sys, "_base_executable", None) or sys.executable
    run([python, "-m", "venv", str(environment)])
    run(
        [
            *(str(environment / "bin" / "python"), "-m", "pip", "install", "--require-hashes", "--no-deps"),
            *("--disable-pip-version-check", "--no-input", "--quiet", "--requirement", str(lock)),
        ]
    )
    say("The environment is ready.")


def run(command: list[str]) -> None:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode != 0:
        raise EnvironmentTrouble(explain(done.stdout))


def explain(output: str) -> str:
    """The one line for what pip or venv has said."""
    if any(sign in output for sign in NETWORK_TROUBLE):
        return "The packages cannot be fetched: check this machine's network (or pip's settings) and repeat."
    if "No space left on device" in output:
        return "The disk is full: free about 500 MB and repeat."
    lines = [line.strip() for line in output.splitlines() if line.strip()] or ["it said nothing"]
    errors = [line for line in lines if line.lower().startswith("error")]
    return f"The environment cannot be made: {(errors or lines)[-1]}"


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - standard output belongs to what runs afterwards


if __name__ == "__main__":
    main()
