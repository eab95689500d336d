"""Celery's remote control, whose revocations also reach jobs that no worker knows yet."""

from collections.abc import Sequence
from typing import Any

from celery.app.control import Control

from .transport import Transport


class LeasedControl(Control):
    def revoke(
        self,
        task_id: str | Sequence[str],
        destination: Sequence[str] | None = None,
        terminate: bool = False,
        signal: str = "SIGTERM",
        **options: Any,
    ) -> Any:
        """Celery's revoke, which also holds for jobs that wait or are delayed, and outlives every worker.

        `destination` limits who is told now, not for whom it holds.
        """
        with self.app.connection_for_write() as connection:
            if isinstance(connection.transport, Transport):
                channel: Any = connection.default_channel
                channel.store.revoke([task_id] if isinstance(task_id, str) else list(task_id))
        return super().revoke(task_id, destination, terminate, signal, **options)
