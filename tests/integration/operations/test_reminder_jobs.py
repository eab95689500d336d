"""The job send_reminder_email, with a real broker and a real mail server."""

import base64
import json
from datetime import timedelta
from functools import partial

import pytest

from apps.operations import services
from apps.operations.models import Reminder
from apps.operations.tasks import send_reminder_email

from .company import HOUR, NOW

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def clock(time_machine):
    time_machine.move_to(NOW, tick=False)
    return time_machine


def kwargs_of(message):
    return json.loads(base64.b64decode(message["body"]))[1]


def test_it_is_declared_as_the_timetable_and_the_operators_know_it():
    assert (send_reminder_email.name, send_reminder_email.queue_name) == ("send_reminder_email", "email")
    assert (send_reminder_email.soft_time_limit, send_reminder_email.time_limit) == (120, 150)


def test_the_result_counts_everything_and_is_json(company, smtp):
    company.reminder()
    company.reminder(hours_ahead=0)
    assert json.loads(json.dumps(send_reminder_email())) == {
        "found": 1,
        "sent": 1,
        "recipients": 1,
        "expired": 1,
        "failed": 0,
        "given_up": 0,
        "nobody_to_tell": 0,
        "skipped": 0,
        "postponed": 0,
        "errors": [],
        "resume_after": None,
    }


def test_a_late_run_goes_by_the_clock(company, smtp, clock):
    company.reminder()
    clock.move_to(NOW + 2 * HOUR, tick=False)
    result = send_reminder_email.apply(headers={"bgjobs_firing": NOW.isoformat()}).get()
    assert (result["sent"], result["expired"]) == (0, 1)


def test_a_firing_that_is_sent_twice_is_worked_once_and_the_next_one_again(company, smtp):
    def fire(firing):
        return send_reminder_email.apply(headers={"bgjobs_firing": firing.isoformat()}).get()["sent"]

    company.reminder()
    assert fire(NOW) == 1
    company.reminder()
    assert fire(NOW) == 1  # the first one's answer
    assert fire(NOW + timedelta(minutes=15)) == 1
    assert len(set(smtp.ids())) == len(smtp.received) == 2


def test_a_run_that_has_used_its_time_goes_on_as_a_new_job_with_a_key_of_its_own(company, smtp, queued, monkeypatch):
    rows = [company.reminder() for _ in range(5)]
    monkeypatch.setattr(
        services, "send_reminders", partial(services.send_reminders, clock=iter(range(0, 1000, 12)).__next__)
    )
    for firing in (NOW, NOW + timedelta(minutes=15)):
        Reminder.objects.update(status="PENDING")
        first = send_reminder_email.apply(headers={"bgjobs_firing": firing.isoformat()}).get()
        assert (first["sent"], first["resume_after"]) == (2, rows[1].pk)
    one, other = queued("email")
    assert kwargs_of(one) == {"after": rows[1].pk, "run": NOW.isoformat()}
    assert one["headers"]["bgjobs_key"] != other["headers"]["bgjobs_key"]
    assert send_reminder_email(**kwargs_of(one))["sent"] == 2
