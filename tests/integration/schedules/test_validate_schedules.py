"""The command on timetables that are broken in the classic ways, each in a small application of its own."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.db.models import F

from apps.core.schedules import history
from apps.core.schedules.history import FEWEST_RUNS
from apps.core.schedules.models import Firing
from apps.organization import zones
from apps.organization.models import Site, Tenant
from intelliwiz_config.schedule import ENTRIES

AT = datetime(2026, 11, 25, 12, 7, tzinfo=UTC)

pytestmark = pytest.mark.django_db

PLAIN = """
    from datetime import timedelta
    from celery import Celery
    from celery.schedules import crontab

    app = Celery("{name}", set_as_current=False, broker="memory://")

    @app.task(name="sweep", shared=False)
    def sweep(): ...

    @app.task(name="send", shared=False)
    def send(): ...

    def forgotten(): ...
"""
OURS = """
    from celery import shared_task
    from apps.core.app import JobsApp
    from apps.core.schedules import Entry, every
    from apps.core.tasks import BaseTask, IdempotentTask

    @shared_task(base=IdempotentTask, name="{name}.close", queue="critical")
    def close(): ...

    @shared_task(base=IdempotentTask, name="{name}.escalate", queue="critical")
    def escalate(): ...

    app = JobsApp("{name}", set_as_current=False, timetable="{name}:ENTRIES")
"""
Check = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], str]]:
    """Writes an application's module, and returns its address."""
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)

    def write(start: str, timetable: str) -> str:
        name = f"broken_{len(list(tmp_path.iterdir()))}_{tmp_path.name}".replace("-", "_")
        text = dedent(start).replace("{name}", name) + dedent(timetable).replace("{name}", name)
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        return f"{name}:app"

    yield write
    for name in set(sys.modules) - before:
        if name.startswith("broken_"):
            del sys.modules[name]


def run(*arguments: str) -> tuple[int, str]:
    """The exit code, and what stands on standard output."""
    out = StringIO()
    try:
        call_command("validate_schedules", *arguments, stdout=out, stderr=StringIO())
    except SystemExit as ended:
        return int(ended.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def check(project: Callable[[str, str], str]) -> Check:
    """The exit code and what the JSON tells of a timetable."""

    def checked(start: str, timetable: str, *arguments: str) -> tuple[int, dict[str, Any]]:
        code, out = run("--app", project(start, timetable), "--format=json", *arguments)
        return code, json.loads(out)

    return checked


def found(facts: dict[str, Any], code: str) -> list[dict[str, Any]]:
    return [finding for finding in facts["findings"] if finding["code"] == code]


def only(facts: dict[str, Any], code: str) -> dict[str, Any]:
    (finding,) = found(facts, code)
    return finding


def test_both_sweeps_on_the_hour_and_the_half_hour(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        ENTRIES = (
            Entry(name="close", task="{name}.close", when="0,30 * * * *"),
            Entry(name="escalate", task="{name}.escalate", when="*/30 * * * *"),
        )
        """,
        "--at=2026-11-25T12:07Z",
    )
    assert code == 1
    shared = only(facts, "SCH101")
    assert shared["entries"] == ["close", "escalate"]
    assert "first on 2026-11-25 12:30 UTC, about 17532 times a year" in shared["message"]
    assert "come within 0 min" in only(facts, "SCH102")["message"]


def test_the_critical_pair_too_near_to_each_other(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        ENTRIES = (
            Entry(name="close", task="{name}.close", when="0,30 * * * *"),
            Entry(name="escalate", task="{name}.escalate", when="14,44 * * * *"),
        )
        """,
    )
    assert code == 1
    assert [finding["code"] for finding in facts["findings"]] == ["SCH102"]
    assert (
        "within 14 min of each other on the queue critical, where 15 min are kept" in facts["findings"][0]["message"]
    )


def test_every_27_minutes_as_a_cron_step(check: Check) -> None:
    code, facts = check(
        PLAIN, 'app.conf.beat_schedule = {"a": {"task": "sweep", "schedule": crontab(minute="*/27")}}'
    )
    assert code == 1
    assert "0, 27, 54" in only(facts, "SCH104")["message"]
    assert "every(minutes=27" in only(facts, "SCH104")["fix"]


def test_a_task_that_is_not_registered_with_the_nearest_name(check: Check) -> None:
    code, facts = check(PLAIN, 'app.conf.beat_schedule = {"a": {"task": "swep", "schedule": crontab(minute=3)}}')
    assert code == 1
    assert "did you mean 'sweep'?" in only(facts, "SCH103")["message"]


def test_a_function_that_has_no_task_decorator(check: Check) -> None:
    code, facts = check(PLAIN, 'app.conf.beat_schedule = {"a": {"task": "forgotten", "schedule": crontab(minute=3)}}')
    assert code == 1
    assert "has no task decorator" in only(facts, "SCH103")["message"]
    assert ".py:14 has" in only(facts, "SCH103")["message"]


def test_an_unknown_queue(check: Check) -> None:
    code, facts = check(
        PLAIN,
        """
        app.conf.beat_schedule = {
            "a": {"task": "sweep", "schedule": crontab(minute=3), "options": {"queue": "criticl"}},
        }
        """,
    )
    assert code == 1
    assert "the queue 'criticl', which does not exist" in only(facts, "SCH108")["message"]


def test_a_queue_that_contradicts_the_tasks_own(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        ENTRIES = ()
        from celery.schedules import crontab
        app.conf.beat_schedule = {
            "a": {"task": "{name}.close", "schedule": crontab(minute=3), "options": {"queue": "email"}},
        }
        """,
    )
    assert code == 1
    assert "belongs to 'critical'" in only(facts, "SCH108")["message"]


def test_two_intervals_that_count_from_the_start_of_beat(check: Check) -> None:
    code, facts = check(
        PLAIN,
        """
        app.conf.beat_schedule = {
            "a": {"task": "sweep", "schedule": timedelta(minutes=10)},
            "b": {"task": "send", "schedule": 600.0},
        }
        """,
    )
    assert code == 1
    assert [finding["entries"] for finding in found(facts, "SCH105")] == [["a"], ["b"]]
    assert "each restart puts it off" in found(facts, "SCH105")[0]["message"]


def test_the_31st_of_february(check: Check) -> None:
    code, facts = check(OURS, 'ENTRIES = (Entry(name="a", task="{name}.close", when="0 0 31 2 *"),)')
    assert code == 1
    assert only(facts, "SCH111")["entries"] == ["a"]


def test_a_crontab_that_celery_itself_refuses_is_found_where_it_stands(check: Check) -> None:
    code, facts = check(PLAIN, "app.conf.beat_schedule = {}\nnever = crontab(0, 0, day_of_month=31, month_of_year=2)")
    assert code == 1
    assert only(facts, "SCH111")["line"] == 16
    assert "never occurs" in only(facts, "SCH111")["message"]


def test_an_expiry_longer_than_the_period(check: Check) -> None:
    code, facts = check(
        PLAIN,
        """
        app.conf.beat_schedule = {
            "a": {"task": "sweep", "schedule": crontab(minute="3,33"), "options": {"expires": 1801}},
            "b": {"task": "send", "schedule": crontab(minute=4)},
            "c": {"task": "send", "schedule": crontab(minute="5,35"), "options": {"expires": 1800}},
        }
        """,
    )
    assert code == 1
    longer, none = found(facts, "SCH106")
    assert (longer["entries"], longer["severity"]) == (["a"], "error")
    assert "expires=1680 or less" in longer["fix"]
    assert (none["entries"], none["severity"]) == (["b"], "warning")


def test_a_result_that_would_answer_the_next_firing(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        @shared_task(base=IdempotentTask, name="{name}.keyed", idempotency_key="one", idempotency_ttl=3600)
        def keyed(): ...

        @shared_task(base=IdempotentTask, name="{name}.of_tenant", idempotency_scope="tenant")
        def of_tenant(): ...

        @shared_task(base=BaseTask, name="{name}.bare")
        def bare(): ...

        ENTRIES = (
            Entry(name="close", task="{name}.close", when="0,30 * * * *"),
            Entry(name="keyed", task="{name}.keyed", when="5,35 * * * *"),
            Entry(name="of_tenant", task="{name}.of_tenant", when="8,38 * * * *"),
            Entry(name="bare", task="{name}.bare", when="9,39 * * * *"),
        )
        """,
    )
    assert code == 1
    keyed, tenant, bare = found(facts, "SCH109")
    assert (keyed["entries"], keyed["severity"]) == (["keyed"], "error")
    assert "answered instead of run" in keyed["message"]
    assert (tenant["entries"], tenant["severity"]) == (["of_tenant"], "error")
    assert (bare["entries"], bare["severity"]) == (["bare"], "warning")


def test_half_past_two_in_new_york(check: Check) -> None:
    code, facts = check(
        PLAIN,
        """
        app.conf.timezone = "America/New_York"
        app.conf.beat_schedule = {
            "a": {"task": "sweep", "schedule": crontab(hour=2, minute=30), "options": {"expires": 60}},
        }
        """,
        "--at=2026-11-25T12:07Z",
    )
    assert code == 1
    assert [finding["code"] for finding in facts["findings"]] == ["SCH110"]
    assert "skips 02:30 on 2027-03-14" in facts["findings"][0]["message"]


def test_a_period_that_must_meet_27_minutes_whatever_its_offset(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        ENTRIES = (
            Entry(name="close", task="{name}.close", when=every(minutes=27, offset=4), spacing=0),
            Entry(name="tens", task="{name}.close", when="3,13,23,33,43,53 * * * *", spacing=0),
        )
        """,
    )
    assert code == 1
    assert only(facts, "SCH113")["entries"] == only(facts, "SCH101")["entries"] == ["close", "tens"]


def test_a_time_limit_that_reaches_into_the_next_firing(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        ENTRIES = (
            Entry(name="close", task="{name}.close", when=every(minutes=5, offset=4), spacing=0),
            Entry(name="alone", task="{name}.close", when=every(minutes=5, offset=2), spacing=0, overlap="skip"),
        )
        """,
        "--fail-level=warning",
    )
    assert code == 1
    assert only(facts, "SCH112")["entries"] == ["close"]


def test_a_schedule_of_an_unknown_kind(check: Check) -> None:
    code, facts = check(
        PLAIN,
        """
        class Mine(crontab): ...
        app.conf.beat_schedule = {"a": {"task": "sweep", "schedule": Mine(minute=3)}}
        """,
    )
    assert code == 1
    assert "type Mine" in only(facts, "SCH114")["message"]


def test_a_reason_beside_the_entry_suppresses_a_finding(check: Check) -> None:
    code, facts = check(
        OURS,
        """
        ENTRIES = (
            Entry(name="close", task="{name}.close", when="0,30 * * * *"),
            # schedules: ignore[SCH102] they work on different tables
            Entry(name="escalate", task="{name}.escalate", when="10,40 * * * *"),
            # schedules: ignore[SCH104]
            Entry(name="third", task="{name}.escalate", when="5 1 * * *", spacing=0),  # schedules: ignore[SCH106] no
        )
        """,
        "--fail-level=warning",
    )
    assert code == 1
    assert {finding["code"] for finding in facts["findings"]} == {"SCH100", "SCH102"}
    assert {tuple(finding["entries"]) for finding in found(facts, "SCH102")} == {("close", "third")}
    assert [finding["message"] for finding in found(facts, "SCH100")] == [
        "The suppression of SCH104 gives no reason.",
        "third has no SCH106 that could be suppressed.",
    ]


def test_the_shipped_timetable_is_clean() -> None:
    code, out = run("--fail-level=warning", "--format=json")
    assert (code, json.loads(out)["summary"]) == (0, {"errors": 0, "warnings": 0, "info": 0})
    assert "no two ever share a minute" in run()[1]


def test_findings_name_file_and_line(check: Check) -> None:
    _, facts = check(OURS, '\nENTRIES = (\n    Entry(name="a", task="{name}.clos", when="5 5 * * *"),\n)\n')
    finding = only(facts, "SCH103")
    assert finding["file"].startswith("broken_")
    assert Path(finding["file"]).read_text().splitlines()[finding["line"] - 1].lstrip().startswith('Entry(name="a"')


def test_codes_are_selected_and_ignored_before_the_exit_code(check: Check) -> None:
    timetable = 'app.conf.beat_schedule = {"a": {"task": "swep", "schedule": crontab(minute="*/27")}}'
    assert check(PLAIN, timetable, "--select=SCH104,SCH111")[1]["summary"] == {"errors": 1, "warnings": 0, "info": 0}
    code, facts = check(PLAIN, timetable, "--ignore=SCH104", "--ignore=sch103,SCH106")
    assert (code, facts["findings"]) == (0, [])


def test_the_level_decides_about_the_exit_code(check: Check) -> None:
    timetable = 'app.conf.beat_schedule = {"a": {"task": "sweep", "schedule": crontab(minute="3")}}'
    assert check(PLAIN, timetable)[0] == 0
    assert check(PLAIN, timetable, "--fail-level=warning")[0] == 1


def test_the_report_goes_into_a_file(project: Callable[[str, str], str], tmp_path: Path) -> None:
    address = project(PLAIN, 'app.conf.beat_schedule = {"a": {"task": "swep", "schedule": crontab(minute="3")}}')
    file = tmp_path / "report.txt"
    assert run("--app", address, "--output", str(file)) == (1, "")
    assert "SCH103" in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        (["--select=SCH999"], 2, "There is no code 'SCH999'"),
        (["--explain=SCH99"], 2, "no code 'SCH99'"),
        (["--app=nowhere.at_all:app"], 2, "nowhere.at_all:app cannot be loaded: ModuleNotFoundError"),
        (["--app=os:path"], 2, "no Celery application"),
        (["--check-dst", "--zone=Mars/Base"], 2, "There is no time zone 'Mars/Base'"),
        (["--output=/nowhere/at/all"], 3, "It could not run"),
    ],
)
def test_wrong_use_has_a_code_of_its_own(arguments: list[str], code: int, text: str) -> None:
    with pytest.raises(CommandError, match=text) as error:
        run(*arguments)
    assert error.value.returncode == code


def test_a_timetable_that_cannot_be_read_is_a_wrong_configuration(project: Callable[[str, str], str]) -> None:
    address = project(OURS, 'ENTRIES = (Entry(name="a", task="t", when="61 * * * *"),)')
    with pytest.raises(CommandError, match="Entry 'a'") as error:
        run("--app", address)
    assert error.value.returncode == 2


def test_a_code_is_explained() -> None:
    code, out = run("--explain", "sch113")
    assert code == 0
    assert "Only another period cures it" in out


def test_the_clocks_of_a_zone_are_looked_at(check: Check) -> None:
    timetable = 'ENTRIES = (Entry(name="a", task="{name}.close", when="30 2 * * *"),)'
    code, facts = check(OURS, timetable, "--check-dst", "--zone=America/New_York", "--at=2036-01-01T00:00Z")
    assert code == 0
    first = facts["clock_changes"][0]
    assert (first["zone"], first["entry"], first["skipped"]) == ("America/New_York", "a", ["2036-03-09T02:30:00"])


def test_better_places_are_suggested_and_shown_as_a_difference(project: Callable[[str, str], str]) -> None:
    address = project(
        OURS,
        """
        ENTRIES = (
            Entry(name="close", task="{name}.close", when="0,30 * * * *"),
            Entry(name="escalate", task="{name}.escalate", when="0,30 * * * *"),
        )
        """,
    )
    code, out = run("--app", address, "--suggest", "--format=json")
    suggestion = json.loads(out)["suggestion"]
    assert code == 1
    assert suggestion["proved"]
    assert suggestion["moves"] == [{"entry": "escalate", "before": "0,30 * * * *", "after": "15,45 * * * *"}]
    assert (suggestion["before"]["shared"], suggestion["after"]["shared"]) == (1, 0)
    _, diff = run("--app", address, "--diff")
    assert '-    Entry(name="escalate", task="' in diff
    assert '+    Entry(name="escalate", task="' in diff
    assert diff.count('when="15,45 * * * *"') == 1


def test_the_current_application_stays_what_it_was(check: Check) -> None:
    from celery import current_app

    check(PLAIN.replace(", set_as_current=False", ""), "app.conf.beat_schedule = {}")
    assert current_app.main == "intelliwiz_config"


def ran_for(seconds: float, *, entry: str, times: int) -> None:
    for number in range(times):
        due = AT - timedelta(hours=number + 1)
        Firing.objects.create(
            entry=entry,
            due=due,
            outcome=Firing.Outcome.SUCCEEDED,
            started_at=due,
            ended_at=due + timedelta(seconds=seconds),
        )


def test_measured_run_times_are_weighed(check: Check) -> None:
    name = ENTRIES[0].name  # auto_close_jobs, 15 minutes away from the next one of its queue
    ran_for(890, entry=name, times=20)
    ran_for(1000, entry=name + "_other", times=20)
    ran_for(7200, entry=ENTRIES[1].name, times=FEWEST_RUNS - 1)  # too few to tell
    assert run("--fail-level=warning", f"--at={AT.isoformat()}")[0] == 0
    Firing.objects.filter(entry=name).update(ended_at=F("started_at") + timedelta(seconds=910))
    code, out = run("--fail-level=warning", f"--at={AT.isoformat()}", "--format=json", "--suggest")
    found_one = only(json.loads(out), "SCH107")
    assert code == 1
    assert found_one["entries"] == [name, ENTRIES[1].name]
    assert "runs for 910 s (95 of 100 runs)" in found_one["message"]
    assert "15 min after its start" in found_one["message"]
    gaps = json.loads(out)["suggestion"]["before"]["gaps"]
    assert gaps[0] < 0  # from the end of a run of 16 minutes to the start of the next


def test_a_run_longer_than_the_period_piles_up() -> None:
    ran_for(1801, entry=ENTRIES[0].name, times=20)
    _, out = run(f"--at={AT.isoformat()}", "--format=json")
    assert "its jobs pile up" in only(json.loads(out), "SCH107")["message"]


def test_run_times_are_the_95th_percentile() -> None:
    for number in range(1, 101):
        due = AT - timedelta(minutes=number)
        Firing.objects.create(
            entry="e", due=due, outcome="succeeded", started_at=due, ended_at=due + timedelta(seconds=number)
        )
    Firing.objects.create(entry="e", due=AT, outcome="failed", started_at=AT, ended_at=AT + timedelta(days=1))
    assert history.run_seconds(AT - timedelta(days=1)) == {"e": pytest.approx(95.05)}
    assert history.run_seconds(AT) == {}


def test_the_sites_zones_are_looked_at() -> None:
    company = Tenant.objects.create(name="Acme", slug="acme")
    for number, zone in enumerate(["Asia/Kolkata", "America/New_York", "America/New_York"]):
        Site.objects.create(tenant=company, code=str(number), name=str(number), timezone=zone)
    code, out = run("--check-dst", "--at=2026-11-25T12:00Z")
    assert code == 0
    assert "Asia/Kolkata: its clocks never change" in out
    assert out.count("America/New_York: 22 changes of its clocks until 2037") == 1


def test_without_a_database_it_says_what_it_does_not_know(monkeypatch: pytest.MonkeyPatch) -> None:
    def down(*_: object) -> None:
        raise OperationalError

    monkeypatch.setattr(history, "run_seconds", down)
    monkeypatch.setattr(zones, "zones_of_sites", down)
    notes = StringIO()
    call_command("validate_schedules", stdout=StringIO(), stderr=notes)
    assert "Run times are not known" in notes.getvalue()
    with pytest.raises(CommandError, match="zones are not known") as error:
        run("--check-dst")
    assert error.value.returncode == 3


@pytest.mark.parametrize("columns", [80, 160])
def test_the_timetable_is_drawn_as_wide_as_the_terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    _, plain = run("--verbose", "--horizon=1", f"--at={AT.isoformat()}")
    assert columns - 2 <= max(map(len, plain.splitlines())) <= columns
    assert all(entry.name in plain for entry in ENTRIES)
    assert "\x1b[" not in plain
    _, coloured = run("--verbose", "--horizon=1", f"--at={AT.isoformat()}", "--force-color")
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plain != coloured


def test_an_entry_that_is_none_is_named(project: Callable[[str, str], str]) -> None:
    address = project(PLAIN, 'app.conf.beat_schedule = {"odd one": {"task": "sweep", "schedule": "*/5"}}')
    with pytest.raises(CommandError, match="Entry 'odd one' of beat_schedule is none") as error:
        run("--app", address)
    assert error.value.returncode == 2


def test_an_expiry_of_the_task_itself_counts_where_celery_goes_by_it(check: Check) -> None:
    start = PLAIN.replace('name="send", shared=False', 'name="send", shared=False, expires=60')
    _, facts = check(start, 'app.conf.beat_schedule = {"a": {"task": "send", "schedule": crontab(minute=3)}}')
    assert facts["findings"] == []


def test_json_stands_alone_on_standard_output() -> None:
    """As a process: exit code, JSON and nothing else there, notes elsewhere."""
    ended = subprocess.run(
        [sys.executable, "manage.py", "validate_schedules", "--format=json", "--suggest", "--select=SCH101"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0
    assert json.loads(ended.stdout)["suggestion"]["proved"] is True
    assert "Looking for better places" in ended.stderr
