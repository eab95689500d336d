"""Jobs that wait longer than until the next firing."""

from collections.abc import Iterator

from ..findings import Finding, finding
from ..timetable import Timetable


def expiries(timetable: Timetable) -> Iterator[Finding]:
    """SCH106: a warning where there is no expiry, an error where it is longer than the period."""
    for line in timetable.lines:
        period = line.period_seconds
        if line.expires is None:
            yield finding(
                "SCH106",
                line,
                severity="warning",
                message=f"The jobs of {line.name} never expire: after an outage all of them run, one after another.",
                fix=_advice(period),
            )
        elif period is not None and line.expires > period:
            yield finding(
                "SCH106",
                line,
                message=f"The jobs of {line.name} expire after {line.expires:g} s, but the next may be due after "
                f"{period:g} s: then both wait.",
                fix=_advice(period),
            )


def _advice(period: float | None) -> str:
    if period is None:
        return "Give it `expires`, in seconds."
    return f"Give it expires={max(period - 120, period / 2):g} or less: the next firing does the work."
