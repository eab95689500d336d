"""What a schedule in local time would skip or repeat where a zone's clocks change: pure functions of both."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from celery.schedules import crontab

from ..exceptions import DeclarationError
from .firings import DAY, is_due_on, times_of_day

LAST_YEAR: Final = 2037  # up to which the files of zones tell each change
SECOND: Final = timedelta(seconds=1)
# Two changes are missed only where the second undoes the first within one step. No zone has ever changed twice within
# three days: the shortest time was four (Africa/Freetown in 1939), and since 2000 a week (America/Recife).
# No shift is longer than a day, so neighbouring changes do not touch each other's local times either.
STEP: Final = 2 * DAY
# As many times of a day are told one by one.
FEW: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A change of a zone's UTC offset, whatever for: daylight saving time, or another standard time."""

    at: datetime  # UTC: the first instant of the new offset
    before: timedelta  # local time minus UTC until then
    after: timedelta  # local time minus UTC from then on

    @property
    def span(self) -> tuple[datetime, datetime]:
        """The local times [start, end) that do not exist, or come twice: naive."""
        instant = self.at.replace(tzinfo=None)
        return instant + min(self.before, self.after), instant + max(self.before, self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbance:
    """What one change of the clocks does to a schedule in local time. One of the two tuples is empty."""

    zone: str  # the zone's IANA name
    transition: Transition
    skipped: tuple[datetime, ...]  # naive local times that match the schedule and do not exist
    repeated: tuple[datetime, ...]  # naive local times that match the schedule and come twice


def transitions(zone: str, *, first: int = 2020, last: int = 2037) -> tuple[Transition, ...]:
    """Every change of the zone's UTC offset from 1 Jan of `first` to 31 Dec of `last` in UTC, the oldest first.

    Raises DeclarationError for an unknown zone.
    """
    return _transitions(zone, first, last)


def disturbances(schedule: crontab, zone: str, *, first: int = 2020, last: int = 2037) -> tuple[Disturbance, ...]:
    """What the schedule, read as local time in `zone`, skips and repeats from `first` to `last`, the oldest first.

    Changes of the clocks that leave the schedule as it is are left out. Raises DeclarationError for an unknown zone.
    """
    changes = transitions(zone, first=first, last=last)
    if not changes:  # as in most zones
        return ()
    times = times_of_day(schedule)
    found = []
    for transition in changes:
        matches = tuple(_matches(schedule, times, *transition.span))
        if matches:
            forward = transition.after > transition.before
            skipped, repeated = (matches, ()) if forward else ((), matches)
            found.append(Disturbance(zone=zone, transition=transition, skipped=skipped, repeated=repeated))
    return tuple(found)


def upcoming(schedule: crontab, zone: str, at: datetime) -> tuple[Disturbance, ...]:
    """Those from a moment on, up to LAST_YEAR. Raises DeclarationError for an unknown zone."""
    found = disturbances(schedule, zone, first=at.year, last=max(at.year, LAST_YEAR))
    return tuple(disturbance for disturbance in found if disturbance.transition.at >= at)


def in_words(found: Iterable[Disturbance]) -> str:
    """What one schedule skips and repeats in one zone, as one line for people.

    "skips 02:30 on 2026-03-08 and 11 more days until 2037-03-08, repeats 01:30 on 2026-11-01"
    """
    found = tuple(found)
    skipped = _by_times(local for disturbance in found for local in disturbance.skipped)
    repeated = _by_times(local for disturbance in found for local in disturbance.repeated)
    parts = [f"{verb} {', '.join(told)}" for verb, told in (("skips", skipped), ("repeats", repeated)) if told]
    return ", ".join(parts) or "skips and repeats nothing"


@lru_cache(maxsize=1024)  # there are about 600 zones
def _transitions(zone: str, first: int, last: int) -> tuple[Transition, ...]:
    """What `transitions` returns. The cache would take a default that is given and one that is not for two."""
    info = _zone_info(zone)
    start, end = datetime(first, 1, 1, tzinfo=UTC), datetime(last + 1, 1, 1, tzinfo=UTC)
    # The walk is along the zone's own clock: ten times as fast as converting instants. A local time that is skipped
    # or comes twice counts as of the old offset (PEP 495, fold=0), so the new one shows at the end of the span.
    # Two days more at both ends: no offset is longer than one.
    found = []
    local, last_local = start.replace(tzinfo=None) - 2 * DAY, end.replace(tzinfo=None) + 2 * DAY
    before = _offset(info, local)
    while local < last_local:
        if _offset(info, local + STEP) == before:
            local += STEP
            continue
        # From there the walk goes on, so that another change within this step is found, too.
        local = _span_end(info, local, local + STEP)
        after = _offset(info, local)
        at = (local - max(before, after)).replace(tzinfo=UTC)
        found.append(Transition(at=at, before=before, after=after))
        before = after
    return tuple(transition for transition in found if start <= transition.at < end)


def _zone_info(zone: str) -> ZoneInfo:
    try:
        return ZoneInfo(zone)
    except (LookupError, ValueError, OSError):  # OSError: an area alone, such as Asia, is a folder
        close = get_close_matches(zone, sorted(available_timezones()), n=1)
        hint = f"did you mean {close[0]!r}?" if close else "use an IANA name like Asia/Kolkata"
        raise DeclarationError(f"There is no time zone {zone!r}; {hint}") from None


def _offset(info: ZoneInfo, local: datetime) -> timedelta:
    return info.utcoffset(local) or timedelta()


def _span_end(info: ZoneInfo, start: datetime, end: datetime) -> datetime:
    """The second in (start, end] at which the offset of local time changes first: it is another one at `end`."""
    before = _offset(info, start)
    while end - start > SECOND:
        middle = start + (end - start) // (2 * SECOND) * SECOND
        if _offset(info, middle) == before:
            start = middle
        else:
            end = middle
    return end


def _matches(schedule: crontab, times: Sequence[timedelta], start: datetime, end: datetime) -> Iterable[datetime]:
    """The local times in [start, end) at which a schedule with these times of day is due."""
    day = datetime.combine(start.date(), time())
    while day < end:
        if is_due_on(schedule, day):
            within = slice(bisect_left(times, start - day), bisect_left(times, end - day))
            yield from (day + of_day for of_day in times[within])
        day += DAY


def _by_times(moments: Iterable[datetime]) -> list[str]:
    """Days that share their times told together: "02:30 on 2026-03-08 and 11 more days until 2037-03-08"."""
    times: dict[date, tuple[time, ...]] = {}
    for moment in sorted(moments):
        times[moment.date()] = (*times.get(moment.date(), ()), moment.time())
    days: dict[tuple[time, ...], list[date]] = {}
    for day, its_times in times.items():
        days.setdefault(its_times, []).append(day)
    return [f"{_times_in_words(its_times)} on {_days_in_words(its_days)}" for its_times, its_days in days.items()]


def _times_in_words(times: Sequence[time]) -> str:
    told = [f"{of_day:%H:%M}" for of_day in times]
    if len(told) > FEW:
        return f"{told[0]} to {told[-1]} ({len(told)} times)"
    return " and ".join(filter(None, (", ".join(told[:-1]), told[-1])))


def _days_in_words(days: Sequence[date]) -> str:
    if len(days) > 2:
        return f"{days[0]} and {len(days) - 1} more days until {days[-1]}"
    return " and ".join(map(str, days))
