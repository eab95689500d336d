"""The schedules from which an entry whose minute is free may get its own, ascending by minute."""

import re
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

from ..exceptions import DeclarationError
from .every import Every
from .firings import Schedule

HOUR: Final = 60  # minutes
DAY: Final = 24 * HOUR
LONGEST: Final = 7 * DAY  # the longest interval that is offered at any offset
MINUTE: Final = timedelta(minutes=1)
TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def any_offset(*, minutes: int) -> tuple[Every, ...]:
    """Every so many minutes, at each offset. Raises DeclarationError."""
    Every(minutes=minutes)  # refuses what is no period
    if minutes > LONGEST:
        raise DeclarationError(
            f"any_offset() takes a week of {LONGEST} minutes at most, not {minutes}: state the offset"
        )
    return tuple(Every(minutes=minutes, offset=offset) for offset in range(minutes))


def daily(*, between: tuple[str, str]) -> tuple[str, ...]:
    """Once a day, at each minute from the one time to the other, both included. Raises DeclarationError.

    `daily(between=("02:00", "04:59"))` as cron text. A window may lie over midnight: ("23:00", "00:59").
    """
    try:
        first, last = between
    except (TypeError, ValueError):
        raise DeclarationError(f"daily() needs between=(first, last), two times of day, not {between!r}") from None
    start = _minute_of_day(first)
    minutes = ((start + step) % DAY for step in range((_minute_of_day(last) - start) % DAY + 1))
    return tuple(f"{minute % HOUR} {minute // HOUR} * * *" for minute in sorted(minutes))


def moved(schedule: Schedule) -> tuple[str | Every, ...]:
    """A schedule at other minutes: a crontab's within its hours, an interval at any offset. Raises DeclarationError.

    A crontab keeps its hours and days and the distances of its minutes around the hour: "12,42 * * * *" has thirty.
    """
    if isinstance(schedule, Every):
        return any_offset(minutes=schedule.minutes)
    if isinstance(schedule, timedelta):
        if schedule % MINUTE:
            raise DeclarationError(f"An interval of {schedule} has no minute to move: make it whole minutes")
        return any_offset(minutes=schedule // MINUTE)
    return _turned(schedule)


def _turned(cron: Any) -> tuple[str, ...]:
    fields = [getattr(cron, f"_orig_{field}") for field in ("hour", "day_of_month", "month_of_year", "day_of_week")]
    others = " ".join(_as_text(field) for field in fields)
    turns = {tuple(sorted((minute + step) % HOUR for minute in cron.minute)) for step in range(HOUR)}
    return tuple(f"{'*' if len(turn) == HOUR else _as_text(turn)} {others}" for turn in sorted(turns))


def _minute_of_day(time: str) -> int:
    found = TIME.fullmatch(time) if isinstance(time, str) else None
    if not found:
        raise DeclarationError(f"daily() needs times of day from 00:00 to 23:59, as HH:MM, not {time!r}")
    return int(found[1]) * HOUR + int(found[2])


def _as_text(field: str | int | Iterable[int]) -> str:
    """A crontab's field, as it was given, as cron text."""
    if isinstance(field, str):
        return "".join(field.split())
    text = str(field) if isinstance(field, int) else ",".join(map(str, sorted(field)))
    if not text:
        raise DeclarationError("A crontab with an empty field is never due, at whatever minute")
    return text
