"""Intervals that never drift: every so many minutes, counted from the epoch."""

from dataclasses import dataclass
from datetime import timedelta

from ..exceptions import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Due at the minutes since 1970-01-01T00:00Z that are `offset` modulo `minutes`. Raises DeclarationError."""

    minutes: int  # the period
    offset: int = 0  # the residue, below the period

    def __post_init__(self) -> None:
        for name in ("minutes", "offset"):
            value = getattr(self, name)
            if type(value) is not int:
                raise DeclarationError(f"every() needs whole minutes, not {name}={value!r}")
        if self.minutes < 1:
            raise DeclarationError(f"every() needs minutes of 1 at least, not {self.minutes}")
        if not 0 <= self.offset < self.minutes:
            raise DeclarationError(f"every(minutes={self.minutes}) needs an offset from 0 to {self.minutes - 1}")

    def __str__(self) -> str:
        return f"every {self.minutes} min, offset {self.offset}"

    @property
    def period(self) -> timedelta:
        return timedelta(minutes=self.minutes)


def every(*, minutes: int, offset: int = 0) -> Every:
    """`when=every(minutes=27, offset=4)`: reads as a timetable does."""
    return Every(minutes=minutes, offset=offset)
