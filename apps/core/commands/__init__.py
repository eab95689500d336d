"""The subcommands of `manage.py jobs`, one module each."""

from . import idempotency, release_key, worker

SUBCOMMANDS = (worker, idempotency, release_key)

__all__ = ["SUBCOMMANDS"]
