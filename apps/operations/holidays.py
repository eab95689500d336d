"""Holidays of one place, and where they move planned work. Pure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from .models import Job

Policy = Job.HolidayPolicy

SATURDAY: Final = 6  # ISO
LONGEST_MOVE: Final = timedelta(days=31)  # work that would have to wait for longer is left out
ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holidays:
    """Days without work."""

    once: frozenset[date] = frozenset()
    yearly: frozenset[tuple[int, int]] = frozenset()  # (month, day) of every year

    def __contains__(self, day: date) -> bool:
        return day in self.once or (day.month, day.day) in self.yearly

    def is_workday(self, day: date) -> bool:
        """Whether it is one of Monday to Friday, and no holiday."""
        return day.isoweekday() < SATURDAY and day not in self

    def moved(self, local: datetime, policy: str) -> datetime | None:
        """When work that falls on the naive time `local` is done; None where it is not.

        Only work on a holiday moves: what is planned for a Saturday is meant for it.
        """
        if policy == Policy.KEEP or local.date() not in self:
            return local
        if policy == Policy.SKIP:
            return None
        for days in range(1, LONGEST_MOVE.days + 1):
            if self.is_workday((later := local + days * ONE_DAY).date()):
                return later
        return None
