"""What must hold of a timetable: each rule a pure function from the timetable to findings."""

from collections.abc import Callable, Iterator
from typing import Final

from ..findings import SEVERITIES, Finding
from ..timetable import Timetable
from .clock_changes import clock_changes
from .collisions import collisions, spacings
from .expiry import expiries
from .guards import guards, overlaps
from .queues import queues
from .registration import registration
from .run_times import run_times
from .suppressions import suppressed
from .wording import wordings

Rule = Callable[[Timetable], Iterator[Finding]]

RULES: Final[tuple[Rule, ...]] = (
    collisions,
    spacings,
    registration,
    wordings,
    expiries,
    run_times,
    queues,
    guards,
    clock_changes,
    overlaps,
)


def judge(timetable: Timetable) -> list[Finding]:
    """All findings, the gravest first, those that a comment suppresses left out."""
    found = suppressed([finding for rule in RULES for finding in rule(timetable)], timetable)
    return sorted(found, key=lambda each: (SEVERITIES.index(each.severity), each.code, each.entries))


__all__ = ["judge"]
