"""The windows that a schedule's reports are about: cron, a zone and instants. Pure.

A window ends whenever the local clock reaches a time of the schedule, and begins where the one before it ended. A
local time that the clock jumps over counts as the moment of the jump; of one that it shows twice the first counts,
also for schedules by the hour. So windows neither overlap nor leave anything out, and last 23 or 25 hours where a day
does.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from apps.helpdesk.business_time import first_instant

MOST_MADE: Final = 3  # of the windows that were missed
MOST_COUNTED: Final = 10_000  # beyond that it does not matter how many there were

SECOND: Final = timedelta(seconds=1)
MIDNIGHT: Final = time()
# When a working week has ended: Saturday or Sunday 00:00.
_WEEK_ENDS: Final = {5: "0 0 * * 6", 6: "0 0 * * 0"}


class BadRhythmError(ValueError):
    """The schedule says no times at which it is due."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    start: datetime  # UTC, in the window
    end: datetime  # UTC, not in it any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What is to be made now."""

    windows: tuple[Window, ...]  # the latest MOST_MADE of those that have ended, the oldest first
    skipped: int  # earlier ones that are not made; from MOST_COUNTED on it stands for "at least"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """When windows end on the clock of one zone. Raises BadRhythmError, in words for who has entered it."""

    cron: str  # five fields; not used where there are working days
    timezone: str  # IANA name
    working_days: int | None = None  # 5 or 6: the week from Monday 00:00, once so many days of it have passed

    def __post_init__(self) -> None:
        if self.working_days not in (None, *_WEEK_ENDS):
            raise BadRhythmError("A working week has 5 or 6 days.")
        try:
            _ = self.zone
        except (LookupError, ValueError, OSError) as error:  # OSError: an area alone, such as Asia, is a folder
            raise BadRhythmError("There is no such time zone; use an IANA name like Asia/Kolkata.") from error
        if len(self.expression.split()) != 5:
            raise BadRhythmError(
                "A cron text has five fields, minute, hour, day of month, month and day of week, such as 0 6 * * 1."
            )
        try:
            next(CronSim(self.expression, datetime(2000, 1, 1)))  # noqa: DTZ001 - of no zone: it is only read
        except CronSimError as error:
            raise BadRhythmError(f"The cron text cannot be read: {error}.") from error
        except StopIteration as error:
            raise BadRhythmError("There is no day on which this cron text is due.") from error

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def expression(self) -> str:
        return _WEEK_ENDS[self.working_days] if self.working_days else self.cron

    def next_end(self, instant: datetime) -> datetime:
        """The first end of a window that is later than `instant`."""
        wall = instant.astimezone(self.zone).replace(tzinfo=None, microsecond=0, fold=0)
        return next(end for end in self._ends(wall) if end > instant)

    def ends_until(self, instant: datetime) -> Iterator[datetime]:
        """The ends of windows that are not later than `instant`, the latest first."""
        ends = self._ends(self._latest_wall(instant) + SECOND, backwards=True)
        return (end for end in ends if end <= instant)

    def window_ending(self, end: datetime) -> Window:
        """The window that ends at `end`, which is one of the ends."""
        if self.working_days:
            monday = end.astimezone(self.zone).date() - timedelta(days=self.working_days)
            return Window(start=first_instant(monday, MIDNIGHT, self.zone), end=end)
        return Window(start=next(earlier for earlier in self.ends_until(end) if earlier < end), end=end)

    def _ends(self, wall: datetime, *, backwards: bool = False) -> Iterator[datetime]:
        """The instants of the local times beyond `wall`, each once."""
        previous = None
        # CronSim's own treatment of zones is that of Debian's cron, which runs an hourly job twice where an hour
        # comes twice. Without a zone it says local times only.
        for local in CronSim(self.expression, wall, reverse=backwards):
            instant = first_instant(local.date(), local.time(), self.zone)
            if instant != previous:
                yield instant
            previous = instant

    def _latest_wall(self, instant: datetime) -> datetime:
        """A local time later than all that the clock has shown so far; it has shown more where it has gone back."""
        local = instant.astimezone(self.zone)
        gone_back = (local.replace(fold=0).utcoffset() or timedelta()) - (local.utcoffset() or timedelta())
        return (local + gone_back).replace(tzinfo=None, microsecond=0, fold=0)


def due(rhythm: Rhythm, *, next_run_at: datetime, now: datetime) -> Due:
    """The windows that have ended from `next_run_at` to `now`, both included."""
    ends: list[datetime] = []
    count = 0
    for end in rhythm.ends_until(now):
        if end < next_run_at or count == MOST_COUNTED:
            break
        count += 1
        if count <= MOST_MADE:
            ends.append(end)
    return Due(windows=tuple(rhythm.window_ending(end) for end in reversed(ends)), skipped=count - len(ends))


def until_now(rhythm: Rhythm, *, last_window_end: datetime | None, now: datetime) -> Window:
    """The time that no report is about yet: since the last window's end, else since the schedule was last due."""
    if last_window_end is not None and last_window_end < now:
        return Window(start=last_window_end.astimezone(UTC), end=now.astimezone(UTC))
    start = next(end for end in rhythm.ends_until(now) if end < now)
    return Window(start=start, end=now.astimezone(UTC))


def sending_time(window: Window, *, send_at: time, zone: ZoneInfo) -> datetime:
    """The first instant from the window's end on at which the local clock shows `send_at`."""
    day = window.end.astimezone(zone).date()
    today = first_instant(day, send_at, zone)
    return today if today >= window.end else first_instant(day + timedelta(days=1), send_at, zone)
