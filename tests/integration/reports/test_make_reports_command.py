"""`manage.py make_reports`."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.reports.models import GeneratedReport

from .firm import MIDNIGHT, NOW

pytestmark = pytest.mark.django_db


class Terminal(StringIO):
    def isatty(self):
        return True


def make(*arguments, out=None):
    out = out or StringIO()
    call_command("make_reports", *arguments, stdout=out)
    return out.getvalue()


def test_it_makes_what_is_due_at_an_instant(firm):
    firm.schedule()
    nothing = "0 windows were due: 0 reports made, 0 failed, 0 skipped.\n"
    assert make("--at", (MIDNIGHT.replace(minute=29)).isoformat()) == nothing
    assert make("--at", NOW.isoformat()) == "1 windows were due: 1 reports made, 0 failed, 0 skipped.\n"
    assert make("--at", NOW.isoformat()) == nothing


def test_it_makes_those_of_one_schedule(firm):
    firm.schedule()
    chosen = firm.schedule()
    make("--schedule", str(chosen.pk), "--at", NOW.isoformat())
    assert GeneratedReport.objects.get().schedule == chosen


def test_on_a_terminal_it_shows_how_far_it_is(firm, monkeypatch):
    firm.schedule()
    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    make("--at", NOW.isoformat(), out=terminal)
    assert "1/1" in terminal.getvalue()


def test_what_fails_is_told_and_makes_the_command_fail(firm):
    schedule = firm.schedule(parameters={"colour": "red"})
    out = StringIO()
    with pytest.raises(CommandError, match="Not all"):
        make("--at", NOW.isoformat(), out=out)
    assert f"Schedule {schedule.pk}: This type of report has no parameter 'colour'" in out.getvalue()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "yesterday"], "no|not an instant"),
        (["--at", "2026-11-23T12:00:00"], "has no offset"),
        (["--schedule", "0"], "there is no schedule 0"),
    ],
)
def test_what_is_asked_wrongly_is_said(db, arguments, said):
    with pytest.raises(CommandError, match=said):
        make(*arguments)
