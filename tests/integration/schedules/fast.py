"""A beat whose clock runs 60 times as fast.

celery -A intelliwiz_config beat -S tests.integration.schedules.fast:FastScheduler

Every process counts from the same moment, so they agree as the clocks of machines do.
"""

import os
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from celery import Task, shared_task

from apps.core import steps
from apps.core.schedules import Entry, every
from apps.core.schedules.scheduler import FiringScheduler

SPEED: Final = 60
BEGAN_AT: Final = (
    "FAST_BEGAN_AT"  # environment variable: seconds since the epoch when the fast clock showed BEGINNING
)
DIES_AT: Final = "FAST_DIES_AT"  # environment variable: the step at which the process kills itself
BEGINNING: Final = datetime(2026, 11, 22, 23, 30, tzinfo=UTC)  # so that a long run meets midnight

HOUR: Final = 3600


@shared_task(name="test.fast", queue="maintenance")
def fast(self: "Task[Any, Any]") -> None:
    """Counted in its queue, and never run."""


def entry(name: str, when: Any, **options: Any) -> Entry:
    return Entry(name=name, task="test.fast", when=when, expires=HOUR, **options)


TIMETABLE: Final = (
    entry("each_minute", every(minutes=1), catch_up="all"),
    entry("each_even_minute", "*/2 * * * *", catch_up="all"),
    entry("by_sevens", every(minutes=7, offset=3)),
    entry("mail", every(minutes=27, offset=4)),
    entry("critical", "12,42 * * * *"),
    entry("midnight", "0,1,2 0 * * 1"),
    entry("minutely_none", every(minutes=3, offset=2), catch_up="none"),
)


def shown(moment: float) -> datetime:
    """What the fast clock shows at a moment, in seconds since the epoch."""
    return BEGINNING + timedelta(seconds=(moment - float(os.environ[BEGAN_AT])) * SPEED)


def moment_of(instant: datetime) -> float:
    """When the fast clock shows an instant, in seconds since the epoch."""
    return float(os.environ[BEGAN_AT]) + (instant - BEGINNING).total_seconds() / SPEED


class FastScheduler(FiringScheduler):
    max_interval = 0.05  # seconds of real time: three of the fast clock

    def now(self) -> datetime:
        return shown(time.time())

    def setup_schedule(self) -> None:
        self.app.conf.beat_schedule = {entry.name: entry.as_beat_entry() for entry in TIMETABLE}
        super().setup_schedule()


def die(*, step: str, **_: Any) -> None:
    if step == os.environ[DIES_AT]:
        os.kill(os.getpid(), signal.SIGKILL)


if DIES_AT in os.environ:
    steps.observe(die)
