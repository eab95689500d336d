"""The pattern of a schedule: the minutes at which it is due, for ever."""

from datetime import timedelta
from typing import Any, Final

from celery.schedules import crontab

from .days import day_set
from .every import Every
from .firings import Schedule
from .patterns import DAY, Interval, Pattern, calendar

MINUTE: Final = timedelta(minutes=1)


def pattern_of(schedule: Schedule) -> Pattern:
    """In the zone that a crontab is read in. Raises ValueError for an interval of part-minutes."""
    if isinstance(schedule, crontab):
        return _pattern_of_crontab(schedule)
    if isinstance(schedule, Every):
        return Interval(schedule.minutes, schedule.offset)
    if schedule < MINUTE or schedule % MINUTE:
        raise ValueError(f"an interval of {schedule.total_seconds():g} s is no whole number of minutes")
    return Interval(schedule // MINUTE, 0)


def _pattern_of_crontab(schedule: Any) -> Pattern:
    hour = sum(1 << minute for minute in schedule.minute)
    minutes = sum(hour << 60 * number for number in schedule.hour)
    assert minutes >> DAY == 0  # noqa: S101 - Celery has refused other hours and minutes
    days = day_set(
        frozenset(schedule.month_of_year), frozenset(schedule.day_of_month), frozenset(schedule.day_of_week)
    )
    return calendar(days, minutes)
