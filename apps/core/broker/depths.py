"""How much waits in a queue, and for how long: read in one round trip, however much it is."""

from dataclasses import dataclass
from typing import Final, Self

FIRST_SEEN_KEPT: Final = 7 * 24 * 3600  # seconds since anybody last looked

Reply = tuple[int, int, int, bytes, bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    until: float | None  # moment it ends by itself; None: it lasts until somebody ends it
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueDepth:
    ready: int  # messages that may be claimed
    delayed: int  # that wait for their time
    leased: int  # in the hands of workers
    oldest_age_seconds: float | None  # how long the message that is next of its list has waited; None: nothing waits
    pause: Pause | None

    @classmethod
    def read(cls, now: float, reply: Reply) -> Self:
        """Out of what lua/depths.lua says of one queue."""
        ready, delayed, leased, oldest, pause = reply
        return cls(
            ready=ready,
            delayed=delayed,
            leased=leased,
            oldest_age_seconds=max(now - float(oldest), 0.0) if oldest else None,
            pause=_pause(pause.decode(errors="replace")) if pause else None,
        )


def _pause(text: str) -> Pause:
    until, _, why = text.partition("\n")
    return Pause(until=float(until) or None, why=why)
