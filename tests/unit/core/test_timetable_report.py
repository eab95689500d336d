import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from apps.core.exceptions import DeclarationError
from apps.core.schedules.codes import CODES
from apps.core.schedules.findings import Finding
from apps.core.schedules.patterns import Interval
from apps.core.schedules.timetable import Line, Place, Suppression, Timetable
from apps.core.timetable.report import as_json, as_text, explanation, summary

LINES = tuple(Line(name=f"entry_{each}", task="one", words="", pattern=Interval(30, each)) for each in range(14))
TIMETABLE = Timetable(lines=LINES, at=datetime(2026, 11, 23, tzinfo=UTC))
PLACE = Place(file="intelliwiz_config/schedule.py", line=12)
SHARED = Finding(
    code="SCH101",
    severity="error",
    entries=("entry_1", "entry_2"),
    message="entry_1 (12,42 * * * *) and entry_2 (12 * * * *) share a minute: first on 2026-11-23 12:12 UTC.",
    fix="Move one of them; --suggest says where to.",
    place=PLACE,
)
UNMEASURED = Finding(
    code="SCH107", severity="warning", entries=("entry_3",), message="entry_3 runs too long.", fix="Do less."
)
NO_TWO = "No findings in 14 entries: no two ever share a minute."


def printed(findings: list[Finding], width: int = 80, **options: object) -> str:
    console = Console(file=io.StringIO(), width=width, soft_wrap=True, force_terminal=False)
    console.print(as_text(findings, TIMETABLE, **options))  # type: ignore[arg-type] # whatever the test gives
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_findings_stand_by_severity_with_all_that_is_known() -> None:
    assert (
        printed([UNMEASURED, SHARED, replace(SHARED, place=None)])
        == """\
Errors
SCH101  entry_1 and entry_2
        entry_1 (12,42 * * * *) and entry_2 (12 * * * *) share a minute: first
        on 2026-11-23 12:12 UTC.
        Move one of them; --suggest says where to.
        intelliwiz_config/schedule.py:12

SCH101  entry_1 and entry_2
        entry_1 (12,42 * * * *) and entry_2 (12 * * * *) share a minute: first
        on 2026-11-23 12:12 UTC.
        Move one of them; --suggest says where to.

Warnings
SCH107  entry_3
        entry_3 runs too long.
        Do less.

2 errors, 1 warning, 0 info in 14 entries.
"""
    )


def test_names_are_no_markup_and_nothing_that_a_terminal_obeys() -> None:
    text = printed([replace(SHARED, entries=("[red]a[/red]\x1b[2J", "b"), message="[/] \n.")])
    assert "[red]a[/red]\\x1b[2J and b" in text
    assert "[/] \\n." in text


def test_a_finding_names_a_few_entries() -> None:
    assert "a, b, c, d and 2 more" in printed([replace(SHARED, entries=tuple("abcdef"))])


@pytest.mark.parametrize("width", [40, 80, 160])
def test_the_report_keeps_to_its_width(width: int) -> None:
    long = replace(SHARED, entries=("n" * 200,), place=Place(file="f/" * 100, line=1))
    lines = printed([long], width).splitlines()
    assert max(map(len, lines[:-1])) == width
    assert "n" * 200 in "".join(line.strip() for line in lines)


def test_that_no_two_share_a_minute_is_said_where_it_is_proved() -> None:
    unclear = Line(name="unclear", task="one", words="", pattern=None)
    floating = replace(LINES[0], floating=True, interval=timedelta(minutes=30))
    local = replace(LINES[0], zone="Asia/Kolkata")
    assert summary([], TIMETABLE) == NO_TWO
    assert summary([], TIMETABLE, left_out={"SCH106"}) == NO_TWO
    for code in ("SCH101", "SCH105", "SCH113", "SCH114"):
        suppression = Suppression(code=code, reason="so it is", place=PLACE, entry="entry_1")
        assert summary([], TIMETABLE, left_out={code}) == "No findings in 14 entries."
        assert summary([], replace(TIMETABLE, suppressions=(suppression,))) == "No findings in 14 entries."
    for other in (unclear, floating, local):
        assert summary([], replace(TIMETABLE, lines=(*LINES[1:], other))) == "No findings in 14 entries."
    assert summary([], replace(TIMETABLE, lines=LINES[:1])) == "No findings in 1 entry."


def test_machines_get_all_of_it() -> None:
    assert json.loads(as_json([SHARED, UNMEASURED], {"suggestion": {"entry_1": 7}})) == {
        "schema_version": 1,
        "summary": {"errors": 1, "warnings": 1, "info": 0},
        "findings": [
            {
                "code": "SCH101",
                "severity": "error",
                "entries": ["entry_1", "entry_2"],
                "message": SHARED.message,
                "fix": SHARED.fix,
                "file": "intelliwiz_config/schedule.py",
                "line": 12,
            },
            {
                "code": "SCH107",
                "severity": "warning",
                "entries": ["entry_3"],
                "message": UNMEASURED.message,
                "fix": UNMEASURED.fix,
                "file": None,
                "line": None,
            },
        ],
        "suggestion": {"entry_1": 7},
    }
    assert as_json([]) == (
        '{"schema_version": 1, "summary": {"errors": 0, "warnings": 0, "info": 0}, "findings": []}'
    )


@pytest.mark.parametrize("code", sorted(CODES))
def test_each_code_is_explained(code: str) -> None:
    text = explanation(code.lower())
    told = CODES[code]
    assert " ".join(text.split()).startswith(f"{code} ({told.severity}): {told.title} {told.why} {told.fix}")
    assert ("do not start" in text) == told.stops
    assert max(map(len, text.splitlines())) <= 80


def test_an_unknown_code_is_answered_with_a_near_one() -> None:
    with pytest.raises(DeclarationError, match=r"no code 'SCH10l'\. Did you mean SCH1"):
        explanation("SCH10l")
    with pytest.raises(DeclarationError, match="There are SCH100 to SCH"):
        explanation("?")
