"""The jobs around the services: what they are given, what they hand on, what they write to the log."""

import base64
import json
from datetime import datetime

import pytest
from django.db import IntegrityError
from django.utils import timezone

from apps.core import context
from apps.core.models import OutboxMessage
from apps.helpdesk import tasks
from apps.helpdesk.models import Ticket

from ..outages import broker_out_of_reach, relay, rows_of_tenant_refused
from .desk import HOUR, MONDAY, Desk, escalations, level_of

FIRING = MONDAY + HOUR


def messages(broker, queue: str) -> list[dict]:
    return [json.loads(message) for message in reversed(broker.lrange(queue, 0, -1))]


def body_of(message: dict) -> list:
    return json.loads(base64.b64decode(message["body"]))


def test_declarations_are_what_the_timetable_and_the_pools_expect() -> None:
    sweep = tasks.ticket_escalation
    assert (sweep.name, sweep.queue_name) == ("ticket_escalation", "critical")
    assert (sweep.soft_time_limit, sweep.time_limit) == (300, 600)
    assert (tasks.send_ticket_email.name, tasks.send_ticket_email.queue_name) == (
        "send_ticket_email",
        "high_priority",
    )
    assert tasks.send_escalation_email.queue_name == "email"


def test_the_sweep_goes_by_its_firing_instant_and_its_result_is_json(desk: Desk) -> None:
    desk.rule()
    ticket = desk.ticket()
    with context.using(firing=FIRING.isoformat()):
        result = tasks.ticket_escalation.apply().get()
    assert json.loads(json.dumps(result)) == {
        "checked": 1,
        "escalated": 1,
        "at_top": 1,
        "mails": 1,
        "skipped": 0,
        "failed": 0,
        "errors": [],
        "resume_after": None,
    }
    assert escalations(ticket)[0].at == FIRING


def test_a_sweep_that_the_timetable_did_not_fire_goes_by_the_present(desk: Desk) -> None:
    desk.rule()
    ticket = desk.ticket(at=timezone.now() - HOUR)
    assert tasks.ticket_escalation.apply().get()["escalated"] == 1
    assert escalations(ticket)[0].at <= timezone.now()


def test_a_sweep_out_of_time_enqueues_its_continuation_with_the_same_instant(
    desk: Desk, run_jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rule()
    first, ticket = desk.ticket(), desk.ticket()
    monkeypatch.setattr(tasks, "BUDGET_SECONDS", 0)  # enough for one row: every portion gets on
    with context.using(firing=FIRING.isoformat()):
        result = tasks.ticket_escalation.apply().get()
    assert (result["escalated"], result["resume_after"]) == (1, first.pk)
    continuation = OutboxMessage.objects.get(queue="critical")
    assert continuation.task == "ticket_escalation"
    _, kwargs, _ = body_of(json.loads(continuation.message))
    assert kwargs == {"now_iso": FIRING.isoformat(), "after": first.pk}
    portions = [job.get() for job in run_jobs() if job.name == "ticket_escalation"]
    assert [(portion["escalated"], portion["resume_after"]) for portion in portions] == [(1, ticket.pk), (0, None)]
    assert escalations(ticket)[0].at == FIRING


@pytest.mark.django_db(transaction=True)
def test_each_mail_is_enqueued_for_the_tickets_own_tenant(broker) -> None:
    desks = [Desk("acme"), Desk("beta")]
    for desk in desks:
        desk.rule()
    tickets = [desk.ticket() for desk in desks]
    tasks.ticket_escalation.apply(kwargs={"now_iso": FIRING.isoformat()})
    for queue in ("high_priority", "email"):
        sent = messages(broker, queue)
        assert [message["headers"]["bgjobs_tenant"] for message in sent] == [str(desk.tenant.pk) for desk in desks]
        assert [body_of(message)[0] for message in sent] == [[ticket.pk] for ticket in tickets]


@pytest.mark.django_db(transaction=True)
def test_the_mails_key_is_tenant_ticket_cycle_and_level(broker) -> None:
    desks = [Desk("acme"), Desk("beta")]
    for desk in desks:
        desk.rule()
    tickets = [desk.ticket() for desk in desks]
    tasks.ticket_escalation.apply(kwargs={"now_iso": FIRING.isoformat()})
    assert [message["headers"]["bgjobs_key"] for message in messages(broker, "email")] == [
        f"send_escalation_email:tenant={ticket.tenant_id}:key={ticket.pk}:1:1" for ticket in tickets
    ]
    assert [message["headers"]["bgjobs_key"] for message in messages(broker, "high_priority")] == [
        f"send_ticket_email:tenant={ticket.tenant_id}:key={ticket.pk}:{raised.pk}"
        for ticket in tickets
        for raised in ticket.history.filter(action="RAISE")
    ]


def test_a_firing_that_is_sent_twice_is_worked_once_and_the_next_one_again(desk: Desk, forget_keys) -> None:
    desk.rule()

    def fire(firing: datetime) -> int:
        return tasks.ticket_escalation.apply(headers={"bgjobs_firing": firing.isoformat()}).get()["escalated"]

    early = [desk.ticket(), desk.ticket()]
    assert fire(FIRING) == 2
    late = desk.ticket()
    assert fire(FIRING) == 2  # the first one's answer:
    assert level_of(late) == 0
    assert fire(FIRING + HOUR) == 1
    forget_keys()  # then the database is the guard
    assert fire(FIRING) == fire(FIRING + HOUR) == 0
    assert [len(escalations(ticket)) for ticket in [*early, late]] == [1] * 3


def test_a_firing_has_one_key_however_often_it_is_enqueued(broker) -> None:
    firings = [FIRING, FIRING, FIRING + HOUR]
    for firing in firings:
        tasks.ticket_escalation.apply_async(headers={"bgjobs_firing": firing.isoformat()})
    keys = [message["headers"]["bgjobs_key"] for message in messages(broker, "critical")]
    assert keys[0] == keys[1] != keys[2]
    assert all(f":global:firing={firing.isoformat()}" in key for key, firing in zip(keys, firings, strict=True))


@pytest.mark.django_db(transaction=True)
def test_a_change_stands_when_the_broker_is_out_of_reach_and_its_mail_goes_out_later(broker) -> None:
    desk = Desk()
    desk.rule()
    with broker_out_of_reach():
        ticket = desk.ticket()
        result = tasks.ticket_escalation.apply(kwargs={"now_iso": FIRING.isoformat()}).get()
    assert (result["escalated"], result["failed"]) == (1, 0)
    assert level_of(ticket) == 1
    mails = [("high_priority", "send_ticket_email"), ("email", "send_escalation_email")]
    assert list(OutboxMessage.objects.order_by("id").values_list("queue", "task")) == mails
    assert [messages(broker, queue) for queue, _ in mails] == [[], []]
    relay()
    sent = [(queue, message["headers"]["task"]) for queue, _ in mails for message in messages(broker, queue)]
    assert sent == mails
    assert not OutboxMessage.objects.exists()


def test_a_change_whose_mail_the_database_refuses_is_rolled_back_with_it(desk: Desk, mails_of) -> None:
    desks = [desk, Desk("beta")]
    for one in desks:
        one.rule()
    refused, other = [one.ticket() for one in desks]

    def escalate() -> None:
        with rows_of_tenant_refused(desk.tenant.pk):
            result = tasks.ticket_escalation.apply(kwargs={"now_iso": FIRING.isoformat()}).get()
        assert (result["escalated"], result["failed"]) == (1, 1)
        assert [error["id"] for error in result["errors"]] == [refused.pk]

    (mail,) = mails_of(escalate)
    assert mail.subject == f"Escalation level 1: ticket {other.number}"
    assert mail.to == ["asha@beta.example", "bela@beta.example"]
    assert (level_of(refused), level_of(other)) == (0, 1)
    assert (escalations(refused), len(escalations(other))) == ([], 1)


def test_a_ticket_whose_mail_the_database_refuses_is_not_raised(desk: Desk) -> None:
    with rows_of_tenant_refused(desk.tenant.pk), pytest.raises(IntegrityError):
        desk.ticket()
    assert not Ticket.objects.exists()


def test_no_personal_data_reaches_the_log_or_the_result(
    desk: Desk, mails_of, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "Asha's badge was stolen by the neighbour"
    desk.rule()
    desk.rule(level=2)
    results = []

    def work() -> None:
        ticket = desk.ticket(description=secret)
        desk.ticket(description=secret, creator_id=None, assignee_person_id=None)
        desk.change(ticket, "HOLD", MONDAY)
        desk.change(ticket, "RESUME", MONDAY)
        results.append(tasks.ticket_escalation.apply(kwargs={"now_iso": FIRING.isoformat()}).get())
        break_history_of(ticket)
        results.append(tasks.ticket_escalation.apply(kwargs={"now_iso": (FIRING + HOUR).isoformat()}).get())

    with caplog.at_level("DEBUG", logger="apps"), caplog.at_level("DEBUG", logger="celery"):
        mails_of(work)
    assert results[1]["failed"] == 1
    assert "ticket.nobody_to_tell" in caplog.text
    for personal in ("Asha", "Bela", "Chandra", "stolen", "acme.example"):
        assert personal not in caplog.text
        assert personal not in json.dumps(results)


def break_history_of(ticket: Ticket) -> None:
    """Make the next escalation of a ticket violate the constraint of its history."""
    (change,) = escalations(ticket)
    change.pk = None
    change.to_level += 1
    change.save()


def test_the_instant_of_a_continuation_keeps_its_zone() -> None:
    assert datetime.fromisoformat(FIRING.isoformat()) == FIRING
