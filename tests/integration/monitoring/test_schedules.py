"""The page of the timetable: every entry in words, what comes next, how it went, and what is wrong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery import current_app
from django.test import Client

from apps.core.exceptions import DeclarationError
from apps.core.schedules.entry import Entry, as_beat_schedule
from apps.core.schedules.models import Firing, ScheduleState
from apps.monitoring import firings, judged

from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

NOW = datetime.now(UTC)
EVIL = "<script>alert(1)</script>"


@pytest.fixture
def viewer() -> Client:
    return visitor()


@pytest.fixture(autouse=True)
def judged_anew() -> Iterator[None]:
    judged.forget()
    yield
    judged.forget()


@pytest.fixture
def timetable(monkeypatch: pytest.MonkeyPatch) -> Any:
    def entries(*entries: Entry) -> None:
        monkeypatch.setitem(current_app.conf, "beat_schedule", as_beat_schedule(entries))

    return entries


def fired(entry: str, hours: float, outcome: str = "succeeded", *, late: float = 1, **facts: Any) -> None:
    due = NOW - timedelta(hours=hours)
    started = due + timedelta(seconds=late) if outcome in ("succeeded", "failed") else None
    Firing.objects.create(entry=entry, due=due, outcome=outcome, started_at=started, ended_at=started, **facts)


def rows(client: Client) -> dict[str, Any]:
    return {row.name: row for row in client.get(address("schedules")).context["rows"]}


def test_every_entry_of_the_projects_timetable_is_there_in_words(viewer: Client) -> None:
    response = viewer.get(address("schedules"))
    html = response.content.decode()
    names = {row.name for row in response.context["rows"]}
    assert names == set(current_app.conf.beat_schedule)
    for expected in ("every 30 min at", "daily 03:03 and 16:03", "Mondays 00:00", "has not fired yet"):
        assert expected in html
    assert "No findings in" in html
    assert all(row.next > datetime.now(UTC) for row in response.context["rows"])


def test_the_last_thirty_firings_are_signs_and_words(viewer: Client) -> None:
    entry = "create_ppm_job"
    for hour in range(5, 45):
        fired(entry, hour)
    fired(entry, 4, late=120)
    fired(entry, 3, "missed", why="no beat ran")
    fired(entry, 2, "failed", job="j-1", why=EVIL)
    fired(entry, 1, "skipped")
    fired(entry, 0.5, "paused")
    strip = rows(viewer)[entry].strip
    assert len(strip.shown) == firings.LAST
    assert "".join(one.sign.symbol for one in strip.shown)[-6:] == "●◐○✕»‖"
    told = "Last firings, the latest last: 25 on time, 1 late, 1 failed, 1 skipped, 1 missed, 1 paused"
    assert strip.words == told
    html = viewer.get(address("schedules")).content.decode()
    assert f'role="img" aria-label="{told}"' in html
    assert "Not as planned: 4" in html
    assert "no beat ran" in html
    assert EVIL not in html
    assert address("run", "j-1") in html


@pytest.mark.parametrize(
    ("outcome", "started", "word"),
    [
        ("succeeded", 10, "on time"),
        ("succeeded", 61, "late"),
        ("failed", 61, "failed"),
        ("running", 10, "runs"),
        ("running", 90, "late"),
        ("enqueued", None, "late"),
        ("retrying", 10, "to be retried"),
        ("expired", None, "expired"),
        ("revoked", None, "revoked"),
        ("never heard of", None, "unknown"),
    ],
)
def test_a_firing_has_a_word(outcome: str, started: int | None, word: str) -> None:
    began = None if started is None else NOW + timedelta(seconds=started)
    firing = Firing(entry="x", due=NOW, outcome=outcome, started_at=began)
    assert firings.sign_of(firing, NOW + timedelta(minutes=2)).word == word


def test_a_firing_whose_job_waits_for_a_moment_is_not_late_yet() -> None:
    firing = Firing(entry="x", due=NOW, outcome="enqueued")
    assert firings.sign_of(firing, NOW + timedelta(seconds=5)).word == "waits"


def test_two_entries_that_share_a_minute_are_named(viewer: Client, timetable: Any) -> None:
    timetable(
        Entry(name="one", task="cleanup_firings", when="0 3 * * *"),
        Entry(name="two", task="cleanup_firings", when="0 3 * * *"),
    )
    html = viewer.get(address("schedules")).content.decode()
    assert "<strong>SCH101</strong> (error) <code>one, two</code>" in html
    assert html.count('bgjobs-warn">SCH101</span>') == 2


def test_the_findings_are_found_once(viewer: Client, timetable: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    judge = judged.judge

    def counted(timetable: Any) -> Any:
        asked.append(1)
        return judge(timetable)

    monkeypatch.setattr(judged, "judge", counted)
    entry = Entry(name="one", task="cleanup_firings", when="0 3 * * *")
    timetable(entry)
    rows(viewer)
    rows(viewer)
    assert len(asked) == 1
    timetable(entry, Entry(name="two", task="cleanup_firings", when="0 4 * * *"))
    assert set(rows(viewer)) == {"one", "two"}
    assert len(asked) == 2


def test_a_paused_entry_says_by_whom_until_when_and_why(viewer: Client) -> None:
    entry = "create_ppm_job"
    until = NOW + timedelta(hours=1)
    ScheduleState.objects.create(
        name=entry,
        spec="x",
        since=NOW,
        settled=NOW,
        paused_at=NOW - timedelta(minutes=1),
        paused_until=until,
        paused_by="ann",
        paused_why=EVIL,
    )
    html = visitor("Jobs operator").get(address("schedules")).content.decode()
    assert "paused by ann until" in html
    assert EVIL not in html
    assert f"actions/resume_entry/?entry={entry}" in html
    assert f"actions/pause_entry/?entry={entry}" not in html
    assert "actions/pause_entry/?entry=create_job" in html
    assert "actions/fire/?entry=create_job" in html
    assert "actions/" not in viewer.get(address("schedules")).content.decode()
    ScheduleState.objects.update(paused_until=NOW)
    assert not rows(viewer)[entry].is_paused


def test_an_empty_timetable_and_an_unreadable_one_say_so(
    viewer: Client, timetable: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    timetable()
    assert "The timetable is empty" in viewer.get(address("schedules")).content.decode()
    monkeypatch.setattr(type(current_app._get_current_object()), "timetable_error", DeclarationError(f"Bad {EVIL}"))
    html = viewer.get(address("schedules")).content.decode()
    assert "The timetable cannot be read: Bad &lt;script&gt;" in html


def test_an_entry_that_was_removed_is_remembered(viewer: Client) -> None:
    ScheduleState.objects.create(name="old-one", spec="x", since=NOW, settled=NOW)
    assert "old-one" in viewer.get(address("schedules")).content.decode()
