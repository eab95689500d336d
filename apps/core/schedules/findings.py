"""What the check of a timetable has found."""

from dataclasses import dataclass
from typing import Final, Literal

from .codes import CODES
from .timetable import Line, Place

Severity = Literal["error", "warning", "info"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    code: str  # of codes.py
    severity: Severity
    entries: tuple[str, ...]  # their names
    message: str  # what is wrong, in one sentence
    fix: str  # what to write instead
    place: Place | None = None


def finding(code: str, *lines: Line, message: str, fix: str, severity: Severity | None = None) -> Finding:
    """A finding about these entries, at the place of the first that has one."""
    return Finding(
        code=code,
        severity=severity or CODES[code].severity,
        entries=tuple(line.name for line in lines),
        message=message,
        fix=fix,
        place=next((line.place for line in lines if line.place), None),
    )
