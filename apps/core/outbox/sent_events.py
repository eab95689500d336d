"""Celery's own "task-sent" events, where they are switched on: for Flower and the like."""

from contextlib import suppress
from functools import cached_property
from typing import Any

import redis
from kombu.exceptions import OperationalError


class SentEvents:
    """An event dispatcher for Celery's publishing: events go to the broker, not where the jobs are captured."""

    def __init__(self, app: Any) -> None:
        self._app = app

    def publish(self, type: str, fields: dict[str, Any], producer: Any, **_: Any) -> None:  # noqa: A002 - Celery's
        """Send an event if that is possible now. No job depends on it."""
        if self._app.outlet.is_spared:
            return
        down = suppress(redis.RedisError, OperationalError, OSError)
        with down, self._app.producer_pool.acquire(block=True) as producer_of_events:
            self._dispatcher.publish(type, fields, producer_of_events, retry=False)

    @cached_property
    def _dispatcher(self) -> Any:
        return self._app.events.Dispatcher(enabled=False)
