"""Findings that a comment beside the entry takes back."""

from collections import defaultdict
from collections.abc import Iterable

from ..codes import CODES
from ..findings import Finding
from ..timetable import Suppression, Timetable

FORM = "`# schedules: ignore[SCH102] the reason`, beside the entry"


def suppressed(findings: Iterable[Finding], timetable: Timetable) -> list[Finding]:
    """The findings that are left, and SCH100 for each comment that gives no reason or suppresses nothing."""
    comments = defaultdict(list)
    for comment in timetable.suppressions:
        if comment.reason and comment.entry:
            comments[comment.code, comment.entry].append(comment)
    used, left = set(), []
    for finding in findings:
        matching = [key for entry in finding.entries if (key := (finding.code, entry)) in comments]
        used.update(matching)
        if not matching:
            left.append(finding)
    return left + [
        _complaint(comment)
        for comment in timetable.suppressions
        if not (comment.reason and comment.entry) or (comment.code, comment.entry) not in used
    ]


def _complaint(comment: Suppression) -> Finding:
    if not comment.entry or comment.code not in CODES:
        message, fix = "A suppression cannot be understood.", f"Write {FORM}."
    elif not comment.reason:
        message, fix = f"The suppression of {comment.code} gives no reason.", f"Write {FORM}."
    else:
        message, fix = f"{comment.entry} has no {comment.code} that could be suppressed.", "Remove the comment."
    return Finding(
        code="SCH100",
        severity=CODES["SCH100"].severity,
        entries=(comment.entry,) if comment.entry else (),
        message=message,
        fix=fix,
        place=comment.place,
    )
