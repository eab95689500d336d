"""Due instants of schedules: pure functions of a schedule and a moment."""

from datetime import UTC, datetime, timedelta
from typing import Any

# 29 February falls on a given weekday once in 28 years, and once in 40 around a century without a leap day.
LONGEST_GAP = timedelta(days=41 * 366)


def latest_firing(schedule: Any, now: datetime) -> datetime:
    """The last due instant (UTC) of a Celery `crontab` not after `now`. Raises ValueError if it never fires."""
    now = now.astimezone(UTC)
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    oldest = day - LONGEST_GAP
    while day >= oldest:
        if _is_due_on(schedule, day):
            times = (
                day + timedelta(hours=hour, minutes=minute) for hour in schedule.hour for minute in schedule.minute
            )
            if past := [time for time in times if time <= now]:
                return max(past)
        day -= timedelta(days=1)
    raise ValueError(f"{schedule} never fires")


def _is_due_on(schedule: Any, day: datetime) -> bool:
    """Celery's rule: month, day of month and day of week must all match; Sunday is 0."""
    return (
        day.month in schedule.month_of_year
        and day.day in schedule.day_of_month
        and day.isoweekday() % 7 in schedule.day_of_week
    )
