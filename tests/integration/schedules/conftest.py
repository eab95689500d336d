"""A timetable, a clock that stands until it is moved, and the schedulers that go by it."""

import json
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis

from apps.core.schedules import Entry, every
from intelliwiz_config.celery import app

from . import jobs  # noqa: F401 - the tasks

QUEUE = "maintenance"
MORNING = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


class Clock:
    """Shared by the schedulers of a test."""

    def __init__(self) -> None:
        self.now = MORNING

    def forward(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def timetable() -> Iterator[Callable[..., None]]:
    """Gives the application these entries, or conf's own form of them."""
    before = app.conf.beat_schedule

    def use(*entries: Entry, **others: dict[str, Any]) -> None:
        app.conf.beat_schedule = {entry.name: entry.as_beat_entry() for entry in entries} | others

    yield use
    app.conf.beat_schedule = before


@pytest.fixture
def scheduler(clock: Clock, timetable: Any) -> Callable[[], Any]:
    """A new scheduler, as a beat has that has just started."""
    from apps.core.schedules.scheduler import FiringScheduler

    class OnTheClock(FiringScheduler):
        def now(self) -> datetime:
            return clock.now

    return lambda: OnTheClock(app)


@pytest.fixture
def queued(server: redis.Redis) -> Callable[[], list[dict[str, Any]]]:
    """The headers of the jobs that wait, oldest first."""
    server.delete("nothing", *server.scan_iter("bgjobs:unique:*"))
    return lambda: [json.loads(text)["headers"] for text in reversed(server.lrange(QUEUE, 0, -1))]


@pytest.fixture
def on_this_database() -> dict[str, str]:
    """The environment of a process that works on the test's own database."""
    from django.db import connection

    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    return dict(os.environ) | {"DATABASE_URL": address.geturl()}


def entry(name: str = "n", **options: Any) -> Entry:
    return Entry(**{"name": name, "task": "test.fired", "when": every(minutes=30), "expires": 600, **options})
