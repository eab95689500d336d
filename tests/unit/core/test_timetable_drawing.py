"""The drawing of a timetable, against drawings that someone has looked at."""

import io
import os
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from celery.schedules import crontab
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console

from apps.core.schedules import Every, every
from apps.core.schedules.findings import Finding
from apps.core.schedules.pattern_of import pattern_of
from apps.core.schedules.patterns import NEVER, Interval
from apps.core.schedules.timetable import Line, TaskFacts, Timetable
from apps.core.timetable.drawing import GAPS_UP_TO, draw

GOLDENS = Path(__file__).parent / "goldens"
AT = datetime(2026, 11, 23, 12, 30, 20, tzinfo=UTC)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def line_of(name: str, when: str | Every, queue: str, run: float | None = None) -> Line:
    schedule = when if isinstance(when, Every) else crontab.from_string(when)
    return Line(
        name=name,
        task=name,
        words=str(when),
        pattern=pattern_of(schedule),
        cron=schedule if isinstance(schedule, crontab) else None,
        facts=TaskFacts(name=name, queue=queue, time_limit=None),
        run_seconds=run,
    )


LINES = (
    line_of("auto_close_jobs", "12,42 * * * *", "critical", run=48.4),
    line_of("ticket_escalation", "27,57 * * * *", "critical", run=12.7),
    line_of("send_reminders", every(minutes=27, offset=4), "email"),
    line_of("create_reports", "5,20,35,50 * * * *", "reports", run=200),
    line_of("cleanup_dead_letters", "3 2 * * *", "maintenance", run=20),
    line_of("cleanup_firings", "18 2 * * *", "maintenance", run=1500),
    line_of("cleanup_idempotency_records", "33 2 * * *", "maintenance", run=410),
    line_of("reconcile_attendance", "3 3,16 * * *", "maintenance", run=2700),
    line_of("weekly_digest", "0 0 * * 1", "email"),
    line_of("monthly_invoices", "30 6 1 * *", "reports", run=1000),
    Line(
        name="poll_meters",
        task="poll_meters",
        words="every 600 s",
        pattern=None,
        interval=timedelta(minutes=10),
        floating=True,
        facts=TaskFacts(name="poll_meters", queue="default", time_limit=None),
    ),
)
TIMETABLE = Timetable(lines=LINES, at=AT)
FINDINGS = (
    Finding(code="SCH105", severity="error", entries=("poll_meters",), message="It floats.", fix="Write every()."),
    Finding(code="SCH106", severity="error", entries=("poll_meters",), message="No expiry.", fix="Give it one."),
)


def printed(timetable: Timetable, width: int, *findings: Finding, colour: bool = False) -> str:
    console = Console(
        file=io.StringIO(),
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        legacy_windows=False,
    )
    console.print(draw(timetable, findings, horizon_days=7))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("colour", [False, True])
@pytest.mark.parametrize("width", [80, 160])
def test_it_is_drawn_as_it_was_looked_at(width: int, colour: bool) -> None:
    golden = GOLDENS / f"timetable_{width}{'_colour' if colour else ''}.txt"
    drawn = printed(TIMETABLE, width, *FINDINGS, colour=colour)
    if os.environ.get("RENEW_GOLDENS"):
        golden.write_text(drawn)
    assert drawn == golden.read_text(), (
        f"The drawing has changed. RENEW_GOLDENS=1 writes it anew; look at it with `cat {golden}` before you keep it."
    )


@pytest.mark.parametrize("width", [80, 160])
def test_colour_adds_nothing_that_has_to_be_read(width: int) -> None:
    coloured = printed(TIMETABLE, width, *FINDINGS, colour=True)
    assert ESCAPES.sub("", coloured) == printed(TIMETABLE, width, *FINDINGS)


ODD = ("日本語" * 20, "שלום" * 12, "[bold]x[/]", "a\x1b[2Jb\r\nc", "\\")
names = st.text(min_size=1, max_size=60) | st.sampled_from(ODD)


@settings(max_examples=40, deadline=None)
@given(st.lists(names, min_size=1, max_size=4), st.sampled_from([60, 79, 80, 102, 150, 160, 161, 10_000]))
def test_whatever_the_names_no_line_is_too_long_nor_breaks(given_names: list[str], width: int) -> None:
    lines = tuple(replace(LINES[place], name=name, queue=name) for place, name in enumerate(given_names))
    found = [Finding(code="SCH101", severity="info", entries=tuple(given_names), message="", fix="")]
    text = printed(Timetable(lines=lines, at=AT), width, *found)
    table = text.partition("─" * 60)[0].rstrip("\n").split("\n")
    assert max(map(cell_len, text.split("\n"))) <= min(width, 160)
    assert all(each.isprintable() or each in "\n\u200e" for each in text)
    assert len(table) >= 2 + 2 * len(lines)
    assert sum(line.startswith("i ") for line in table) == len(lines)


def test_what_does_not_fit_is_cut_with_a_sign() -> None:
    long = "a_name_that_goes_on_and_on_for_more_than_sixty_characters_and_then_some"
    lines = (replace(LINES[0], name=long), LINES[1])
    text = printed(Timetable(lines=lines, at=AT), 80)
    assert "  a_name_that_goes_on_and_on_for_more_than…  Mon 12:42  " in text
    assert f"\n    15 min from {long[:63]}…\n" in text


def test_a_name_that_is_written_backwards_leaves_what_follows_in_its_place() -> None:
    for name in ("שלום", "שלום" * 20):
        text = printed(Timetable(lines=(replace(LINES[0], name=name),), at=AT), 80)
        assert re.search(r"\u200e  Mon 12:42", text)


def test_what_has_no_minutes_has_no_strip() -> None:
    lines = (LINES[-1], replace(LINES[0], name="never", pattern=NEVER, words="0 0 31 2 *"))
    text = printed(Timetable(lines=lines, at=AT), 80)
    assert re.search(r"poll_meters +not known +not known\n", text)
    assert re.search(r"never +never\n", text)
    assert "0 0 31 2 * (never)  critical" in text
    assert "Nothing is due in these days." in text


def test_without_entries_there_is_nothing_to_draw() -> None:
    assert printed(Timetable(lines=(), at=AT), 80) == "No entries.\n"


def test_entries_that_meet_are_said_to() -> None:
    lines = (LINES[0], replace(LINES[0], name="other"))
    assert "shares a minute with other" in printed(Timetable(lines=lines, at=AT), 80)


def test_of_many_entries_the_gaps_are_left_out_and_that_is_said() -> None:
    many = tuple(
        replace(LINES[0], name=f"entry_{each}", pattern=Interval(1440, each)) for each in range(GAPS_UP_TO + 1)
    )
    assert "1 min from entry_1" in printed(Timetable(lines=many[1:], at=AT), 80)
    text = printed(Timetable(lines=many, at=AT), 80)
    assert "from entry_" not in text
    assert f"How near entries come to each other is told of up to {GAPS_UP_TO} entries." in text
