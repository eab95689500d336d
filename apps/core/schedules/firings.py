"""Due instants of schedules: pure functions of a schedule and a moment. All results are in UTC."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any

from celery.schedules import crontab

from .every import Every

# A timedelta is an interval that is anchored to the epoch, as Every is.
Schedule = crontab | Every | timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
# 29 February falls on a given weekday once in 28 years, and once in 40 around a century without a leap day.
LONGEST_GAP = timedelta(days=41 * 366)


def firings_before(schedule: Schedule, moment: datetime) -> Iterator[datetime]:
    """The due instants not after `moment`, the latest first, without end. Raises ValueError if there is none."""
    moment = moment.astimezone(UTC)
    if isinstance(schedule, crontab):
        times = times_of_day(schedule)
        for day in _days(schedule, moment, -DAY):
            yield from (day + time for time in reversed(times) if day + time <= moment)
        return
    period, offset = _arithmetic(schedule)
    instant = moment - (moment - EPOCH - offset) % period
    while True:
        yield instant
        instant -= period


def firings_after(schedule: Schedule, moment: datetime) -> Iterator[datetime]:
    """The due instants after `moment`, the next first, without end. Raises ValueError if there is none."""
    moment = moment.astimezone(UTC)
    if isinstance(schedule, crontab):
        times = times_of_day(schedule)
        for day in _days(schedule, moment, DAY):
            yield from (day + time for time in times if day + time > moment)
        return
    period, offset = _arithmetic(schedule)
    instant = moment - (moment - EPOCH - offset) % period
    while True:
        instant += period
        yield instant


def latest_firing(schedule: Schedule, now: datetime) -> datetime:
    """The last due instant not after `now`. Raises ValueError if there is none."""
    return next(firings_before(schedule, now))


def next_firing(schedule: Schedule, now: datetime) -> datetime:
    """The first due instant after `now`. Raises ValueError if there is none."""
    return next(firings_after(schedule, now))


def firings_between(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    """The due instants in (after, until], oldest first. Raises ValueError if the schedule never fires."""
    return list(takewhile(lambda instant: instant <= until, firings_after(schedule, after)))


def _arithmetic(schedule: Every | timedelta) -> tuple[timedelta, timedelta]:
    """Period and offset from the epoch."""
    if isinstance(schedule, Every):
        return schedule.period, timedelta(minutes=schedule.offset)
    return schedule, timedelta()


def times_of_day(schedule: Any) -> list[timedelta]:
    """The times of day at which a crontab is due, on days on which it is."""
    return [
        timedelta(hours=hour, minutes=minute) for hour in sorted(schedule.hour) for minute in sorted(schedule.minute)
    ]


def _days(schedule: crontab, moment: datetime, step: timedelta) -> Iterator[datetime]:
    """Midnight of each day on which a crontab is due, from the day of `moment` on."""
    day = last = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    while abs(day - last) <= LONGEST_GAP:
        if is_due_on(schedule, day):
            last = day
            yield day
        day += step
    raise ValueError(f"{schedule} never fires")


def is_due_on(schedule: Any, day: datetime) -> bool:
    """Celery's rule: month, day of month and day of week must all match; Sunday is 0."""
    return (
        day.month in schedule.month_of_year
        and day.day in schedule.day_of_month
        and day.isoweekday() % 7 in schedule.day_of_week
    )
