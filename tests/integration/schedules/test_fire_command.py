"""`manage.py jobs fire`"""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.core.models import Firing, OperatorAction, ScheduleState

from .conftest import entry

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def jobs_fire(timetable) -> Callable[..., str]:
    timetable(entry("sweep", args=(7,)), entry("mails"), entry("only", task="test.one_at_a_time"))

    def run(*arguments: str, reason: str = "the 8 o'clock one failed", **options: Any) -> str:
        output = io.StringIO()
        call_command("jobs", "fire", *arguments, "--reason", reason, stdout=output, **options)
        return output.getvalue()

    return run


def test_an_entry_is_fired_now_and_leaves_a_row_and_an_audit(jobs_fire, queued) -> None:
    before = timezone.now()
    said = jobs_fire("sweep")
    row = Firing.objects.get()
    assert (row.entry, row.manual, row.outcome) == ("sweep", True, Firing.Outcome.ENQUEUED)
    assert before < row.due == row.enqueued_at < before + timedelta(seconds=10)
    assert said == f"Fired sweep: job {row.job}.\n"
    (job,) = queued()
    assert (job["id"], job["argsrepr"], job["bgjobs_firing"]) == (row.job, "[7]", row.due.isoformat())
    audit = OperatorAction.objects.get()
    assert (audit.action, audit.target, audit.reason) == ("fire-entry", "sweep", "the 8 o'clock one failed")
    assert (audit.result, audit.affected) == (OperatorAction.Result.DONE, 1)
    assert not ScheduleState.objects.exists()  # beat's own instants are untouched


def test_it_can_be_repeated(jobs_fire, queued) -> None:
    for _ in range(2):
        jobs_fire("sweep")
    assert Firing.objects.count() == len(queued()) == 2


def test_an_unknown_entry_names_the_nearest(jobs_fire) -> None:
    with pytest.raises(CommandError, match="no entry 'swep'; did you mean 'sweep'"):
        jobs_fire("swep")
    assert not OperatorAction.objects.exists()


def test_it_takes_a_reason_and_a_permission(jobs_fire, queued) -> None:
    ann = get_user_model().objects.create_user("ann")
    with pytest.raises(CommandError, match="Say why"):
        jobs_fire("sweep", reason=" ")
    with pytest.raises(CommandError, match="ann may not fire, pause and resume entries"):
        jobs_fire("sweep", as_user="ann")
    assert not Firing.objects.exists()
    ann.user_permissions.add(Permission.objects.get(codename="run_schedule"))
    jobs_fire("sweep", as_user="ann")
    assert OperatorAction.objects.get().actor == "ann"
    assert len(queued()) == 1


def test_a_job_that_waits_under_the_same_key_is_not_doubled(jobs_fire, queued) -> None:
    jobs_fire("only")
    assert jobs_fire("only") == "only has a job with the same key, which waits or runs.\n"
    assert len(queued()) == 1
    assert set(Firing.objects.values_list("outcome", flat=True)) == {"enqueued", "skipped"}


def test_what_cannot_be_enqueued_is_said_and_kept_in_the_audit(jobs_fire, timetable) -> None:
    timetable(entry("odd", task="test.nowhere", kwargs={"x": object()}))
    with pytest.raises(CommandError, match="Object of type object is not JSON"):
        jobs_fire("odd")
    assert OperatorAction.objects.get().result == OperatorAction.Result.FAILED
    assert not Firing.objects.exists()
