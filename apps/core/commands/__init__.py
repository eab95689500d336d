"""The subcommands of `manage.py jobs`, one module each."""

from . import drain, idempotency, migrate, pause, quarantine, relay, release_key, resume, status, worker

SUBCOMMANDS = (worker, status, pause, resume, drain, quarantine, relay, migrate, idempotency, release_key)

__all__ = ["SUBCOMMANDS"]
