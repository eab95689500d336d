"""The subcommands of `manage.py jobs`, one module each."""

from . import (
    dead_letters,
    discard,
    drain,
    fire,
    idempotency,
    migrate,
    pause,
    quarantine,
    relay,
    release_key,
    resume,
    retry,
    status,
    why,
    worker,
)

SUBCOMMANDS = (
    worker,
    status,
    why,
    pause,
    resume,
    drain,
    dead_letters,
    retry,
    discard,
    quarantine,
    fire,
    relay,
    migrate,
    idempotency,
    release_key,
)

__all__ = ["SUBCOMMANDS"]
