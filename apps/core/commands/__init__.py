"""The subcommands of `manage.py jobs`, one module each."""

from . import drain, idempotency, migrate, pause, quarantine, release_key, resume, status, worker

SUBCOMMANDS = (worker, status, pause, resume, drain, quarantine, migrate, idempotency, release_key)

__all__ = ["SUBCOMMANDS"]
