"""What is wrong with a timetable, for people and for machines."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from textwrap import fill
from typing import Any, Final

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.text import Text

from ..exceptions import DeclarationError
from ..schedules.codes import CODES
from ..schedules.findings import SEVERITIES, Finding, Severity
from ..schedules.timetable import UTC_ZONE, Timetable
from .due import known_pattern
from .marks import COLOURS
from .words import counted, listed, shown

SCHEMA_VERSION: Final = 1
PLURALS: Final[Mapping[Severity, str]] = {"error": "errors", "warning": "warnings", "info": "info"}
INDENT: Final = len("SCH101  ")
WIDTH: Final = 80  # of explanations
NAMED: Final = 5  # entries of a finding
# What must have been looked for and not found before it may be said that no two entries ever share a minute.
PROOF: Final = frozenset({"SCH101", "SCH105", "SCH113", "SCH114"})


def as_text(findings: Sequence[Finding], timetable: Timetable, *, left_out: Collection[str] = ()) -> RenderableType:
    """By severity, then all in one sentence. `left_out`: codes whose findings are not among these."""
    parts: list[RenderableType] = []
    for severity in SEVERITIES:
        of_it = [finding for finding in findings if finding.severity == severity]
        if of_it:
            parts.append(Text(PLURALS[severity].capitalize(), COLOURS[severity]))
            parts += [_Told(finding) for finding in of_it]
    return Group(*parts, Text(summary(findings, timetable, left_out=left_out), "bold"))


def summary(findings: Sequence[Finding], timetable: Timetable, *, left_out: Collection[str] = ()) -> str:
    """ "2 errors, 1 warning, 0 info in 14 entries." """
    entries = counted(len(timetable.lines), "entry", "entries")
    if findings:
        counts = _counts(findings).items()
        return f"{', '.join(counted(number, each, PLURALS[each]) for each, number in counts)} in {entries}."
    if _apart(timetable, left_out):
        return f"No findings in {entries}: no two ever share a minute."
    return f"No findings in {entries}."


def as_json(findings: Sequence[Finding], extra: Mapping[str, Any] | None = None) -> str:
    """`extra`: more of what was asked for, by its key beside the findings."""
    return json.dumps(
        {
            "schema_version": SCHEMA_VERSION,
            "summary": {PLURALS[severity]: number for severity, number in _counts(findings).items()},
            "findings": [_facts(finding) for finding in findings],
            **(extra or {}),
        }
    )


def explanation(code: str) -> str:
    """What a code stands for, why it matters and what to do. Raises DeclarationError for one that there is not."""
    told = CODES.get(code.upper())
    if told is None:
        close = get_close_matches(code.upper(), CODES, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"There are {min(CODES)} to {max(CODES)}."
        raise DeclarationError(f"There is no code {code!r}. {hint}")
    parts = [f"{told.code} ({told.severity}): {told.title}", told.why, told.fix]
    if told.stops:
        parts.append("Workers and beat do not start with such an entry.")
    return "\n\n".join(fill(part, WIDTH, break_on_hyphens=False) for part in parts)


def _counts(findings: Sequence[Finding]) -> dict[Severity, int]:
    counts = Counter(finding.severity for finding in findings)
    return {severity: counts[severity] for severity in SEVERITIES}


def _apart(timetable: Timetable, left_out: Collection[str]) -> bool:
    """Whether it is proved, where nothing was found, that no two entries ever share a minute."""
    suppressed = {suppression.code for suppression in timetable.suppressions}
    known = all(known_pattern(line) is not None and line.zone == UTC_ZONE for line in timetable.lines)
    return len(timetable.lines) > 1 and known and PROOF.isdisjoint({*left_out, *suppressed})


@dataclass(frozen=True, slots=True)
class _Told:
    """A finding and an empty line: its code, and beside it what there is to say."""

    finding: Finding

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        finding = self.finding
        where = f"{shown(finding.place.file)}:{finding.place.line}" if finding.place else ""
        parts = (
            Text(listed([shown(name) for name in finding.entries], most=NAMED), "bold"),
            Text(shown(finding.message)),
            Text(shown(finding.fix), "green"),
            Text(where, "dim"),
        )
        beside = [line for part in parts if part for line in part.wrap(console, options.max_width - INDENT)]
        for place, line in enumerate(beside):
            line.rstrip()
            margin = (" " * INDENT, "") if place else (finding.code.ljust(INDENT), COLOURS[finding.severity])
            yield Text.assemble(margin, line)
        yield Text()


def _facts(finding: Finding) -> dict[str, Any]:
    return {
        "code": finding.code,
        "severity": finding.severity,
        "entries": list(finding.entries),
        "message": finding.message,
        "fix": finding.fix,
        "file": finding.place.file if finding.place else None,
        "line": finding.place.line if finding.place else None,
    }
