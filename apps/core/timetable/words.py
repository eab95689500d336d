"""A timetable in words: when its entries are due, how long things take."""

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from ..schedules.days import FIRST_WEEKDAY
from ..schedules.patterns import DAY, Calendar, Interval, is_never
from ..schedules.timetable import UTC_ZONE, Line

HOUR: Final = 60  # minutes
WEEK: Final = 7 * DAY
WEEKDAYS: Final = ("Sundays", "Mondays", "Tuesdays", "Wednesdays", "Thursdays", "Fridays", "Saturdays")
MONDAY_FIRST: Final = (1, 2, 3, 4, 5, 6, 0)
UNITS: Final = {"d": 86_400, "h": 3600, "min": 60, "s": 1}
MOST_OF_A_UNIT: Final = 120  # from there on a larger unit is told beside it
FEW: Final = 3  # as many times of a day are told one by one
LEFT_TO_RIGHT: Final = "\u200e"  # of no width: keeps what follows in its place


def in_words(line: Line) -> str:
    """When an entry is due: "every 30 min at :12 and :42", "Mondays 00:00"; else as it was written."""
    if line.floating or line.pattern is None:
        return _counted(line)
    if is_never(line.pattern):
        return f"{line.words} (never)"
    told = _interval(line.pattern) if isinstance(line.pattern, Interval) else _calendar(line.pattern, line.cron)
    told = told or line.words
    return told if line.zone == UTC_ZONE else f"{told} {line.zone}"


def span(seconds: float) -> str:
    """How long something takes or is away: "0.4 s", "45 s", "90 min", "2 h 30 min", "3 d"."""
    whole = round(seconds)
    if 0 < seconds < 10 and seconds != whole:
        return f"{seconds:.1f} s"
    for unit, size in UNITS.items():
        if whole and not whole % size and whole // size < MOST_OF_A_UNIT:
            return f"{whole // size} {unit}"
    parts = []
    for unit, size in UNITS.items():
        count, whole = divmod(whole, size)
        if count:
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


def counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def listed(parts: Sequence[str], *, most: int | None = None) -> str:
    """ "a", "a and b", "a, b and c"; where there are more than `most`: "a, b and 7 more"."""
    if most is not None and len(parts) > most:
        parts = [*parts[: most - 1], f"{len(parts) - most + 1:,} more"]
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def shown(text: str) -> str:
    """A text from elsewhere, fit for one line of a terminal: what cannot be printed is escaped."""
    safe = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)
    if any(unicodedata.bidirectional(each) in {"R", "AL", "AN"} for each in safe):
        return safe + LEFT_TO_RIGHT
    return safe


def _counted(line: Line) -> str:
    """Of an entry whose minutes cannot be told."""
    if line.interval is None:
        return line.words
    return f"every {span(line.interval.total_seconds())}" + (" from beat's start" if line.floating else "")


def _interval(pattern: Interval) -> str:
    period, offset = pattern.period, pattern.offset
    if period == WEEK:
        return f"{WEEKDAYS[(FIRST_WEEKDAY + offset // DAY) % 7]} {_time(offset % DAY)}"
    if period == 1:
        return "every minute"
    if period == HOUR:
        return f"hourly at :{offset:02}"
    if not period % DAY:
        return f"{'daily' if period == DAY else f'every {period // DAY} d at'} {_time(offset % DAY)}"
    every = f"every {span(60 * period)}"
    if not HOUR % period:
        minutes = [f":{minute:02}" for minute in range(offset, HOUR, period)]
        return f"{every} at {listed(minutes)}" if len(minutes) < FEW else f"{every} from {minutes[0]}"
    if not DAY % period:
        times = [_time(minute) for minute in range(offset, DAY, period)]
        return f"daily {listed(times)}" if len(times) <= FEW else f"{every} from {times[0]}"
    return every


def _calendar(pattern: Calendar, cron: Any) -> str | None:
    """None where its cron text is as good."""
    days = _days(cron) if cron else None
    if days is None:
        return None
    minutes = [minute for minute in range(DAY) if pattern.minutes >> minute & 1]
    if len(minutes) <= FEW:
        return f"{days} {listed([_time(minute) for minute in minutes])}"
    of_hour = [minute for minute in minutes if minute < HOUR]
    if days == "daily" and len(of_hour) <= FEW and len(minutes) == 24 * len(of_hour):
        return f"hourly at {listed([f':{minute:02}' for minute in of_hour])}"
    return None


def _days(cron: Any) -> str | None:
    """ "daily", or the weekdays on which it is due; None where dates play a part."""
    if len(cron.day_of_month) < 31 or len(cron.month_of_year) < 12:
        return None
    due = [day for day in MONDAY_FIRST if day in cron.day_of_week]
    if len(due) == 7:
        return "daily"
    first, last = MONDAY_FIRST.index(due[0]), MONDAY_FIRST.index(due[-1])
    if len(due) > 2 and last - first == len(due) - 1:
        return f"{WEEKDAYS[due[0]]} to {WEEKDAYS[due[-1]]}"
    return listed([WEEKDAYS[day] for day in due])


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
