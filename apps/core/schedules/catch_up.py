"""What becomes of due instants that have passed: which are fired, and which are only recorded as missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice, takewhile
from typing import Final, Literal, get_args

from ..exceptions import DeclarationError
from .firings import Schedule, firings_before, firings_between

CatchUp = Literal["one", "all", "none"]
Overlap = Literal["allow", "skip"]

GRACE: Final = 60.0  # seconds for which an instant is not late, whatever the policy: a beat may be restarting
MOST_MISSED: Final = 1000  # rows for one downtime of one entry: the newest of those missed


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How an entry deals with downtime and with its own earlier jobs. Raises DeclarationError."""

    catch_up: CatchUp = "one"  # of the instants missed in the window: the latest, all, or none is fired
    catch_up_window: float = 86_400.0  # seconds: an instant older than this is never fired
    overlap: Overlap = "allow"  # skip: not fired while the job of an earlier firing has not ended

    def __post_init__(self) -> None:
        for name, choices in (("catch_up", get_args(CatchUp)), ("overlap", get_args(Overlap))):
            if getattr(self, name) not in choices:
                raise DeclarationError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}")
        if self.catch_up_window < GRACE:
            raise DeclarationError(
                f"catch_up_window must be {GRACE:g} seconds at least, not {self.catch_up_window!r}"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """Both oldest first, and all that is missed before all that is fired."""

    missed: Sequence[datetime]
    fire: Sequence[datetime]


def divide(schedule: Schedule, policy: Policy, *, after: datetime, until: datetime) -> Due:
    """What to do about the due instants in (after, until]."""
    window = GRACE if policy.catch_up == "none" else policy.catch_up_window
    earliest = max(after, until - timedelta(seconds=window))
    if policy.catch_up == "one":
        latest = next(firings_before(schedule, until))
        fire = [latest] if latest > earliest else []
    else:
        fire = firings_between(schedule, earliest, until)
    others = firings_before(schedule, fire[0] - timedelta.resolution if fire else until)
    missed = list(islice(takewhile(lambda instant: instant > after, others), MOST_MISSED))
    return Due(missed=missed[::-1], fire=fire)
