"""Business time: how much of a span counts, and when a given amount of it is reached. Pure.

A window opens, and closes, when the local clock first shows that time. A time that the clock jumps over when it goes
forward is the moment of the jump; of a time that it shows twice when it goes back, the first is meant. What lies
between is real elapsed time. All results are in UTC.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Period = tuple[datetime, datetime]  # aware, half-open

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessHours:
    """The hours in which time counts at one place."""

    zone: ZoneInfo
    opens: time  # local
    closes: time  # local; not after `opens` means on the next day, so that equal times are a whole day
    weekdays: frozenset[int]  # ISO, Monday is 1: days on which a window opens
    holidays: frozenset[date] = frozenset()  # days on which none opens
    yearly: frozenset[tuple[int, int]] = frozenset()  # likewise, (month, day) of every year

    def windows(self, since: datetime, until: datetime) -> Iterator[Period]:
        """The opening hours between `since` and `until`, oldest first."""
        overnight = self.closes <= self.opens
        # A night's window began the day before; where clocks go back over midnight, a date has begun already.
        last = until.astimezone(self.zone).date() + ONE_DAY
        day = since.astimezone(self.zone).date() - ONE_DAY
        while day <= last:
            if self._opens_on(day):
                opened = max(since, first_instant(day, self.opens, self.zone))
                closed = min(until, first_instant(day + overnight * ONE_DAY, self.closes, self.zone))
                if opened < closed:
                    yield opened, closed
            day += ONE_DAY

    def _opens_on(self, day: date) -> bool:
        return (
            day.isoweekday() in self.weekdays and day not in self.holidays and (day.month, day.day) not in self.yearly
        )


def elapsed(
    since: datetime, until: datetime, *, hours: BusinessHours | None = None, holds: Iterable[Period] = ()
) -> timedelta:
    """The time that counts between two instants; without `hours` all of it does, except what was on hold."""
    return sum((end - begin for begin, end in _counted(since, until, hours, holds)), timedelta())


def due_at(
    since: datetime,
    after: timedelta,
    *,
    until: datetime,
    hours: BusinessHours | None = None,
    holds: Iterable[Period] = (),
) -> datetime | None:
    """The first instant at which `after` has elapsed; None where that is later than `until`."""
    for begin, end in _counted(since, until, hours, holds):
        if end - begin >= after:
            return begin + after
        after -= end - begin
    return None


def first_instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first instant at which the local clock shows `clock` or later on `day` (or any later day)."""
    local = datetime.combine(day, clock, tzinfo=zone)
    again = local.replace(fold=1)
    instant = local.astimezone(UTC)
    if again.utcoffset() == local.utcoffset() or instant < again.astimezone(UTC):
        return instant
    return _end_of_gap(again.astimezone(UTC), instant, zone)


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks go forward, which they do once between these two instants."""
    before = before.replace(microsecond=0)
    changed = after.astimezone(zone).utcoffset()
    seconds = bisect_left(
        range((after - before) // timedelta(seconds=1)),
        True,
        key=lambda passed: (before + timedelta(seconds=passed)).astimezone(zone).utcoffset() == changed,
    )
    return before + timedelta(seconds=seconds)


def _counted(
    since: datetime, until: datetime, hours: BusinessHours | None, holds: Iterable[Period]
) -> Iterator[Period]:
    # In UTC, because arithmetic between two datetimes of one zone is that of the clock on the wall.
    for begin, end in _running(since.astimezone(UTC), until.astimezone(UTC), holds):
        if hours is None:
            yield begin, end
        else:
            yield from hours.windows(begin, end)


def _running(since: datetime, until: datetime, holds: Iterable[Period]) -> Iterator[Period]:
    """The span without its holds, which may overlap each other."""
    for begin, end in sorted(holds):
        if since < min(begin, until):
            yield since, min(begin, until)
        since = max(since, end)
    if since < until:
        yield since, until
