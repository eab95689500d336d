"""Several workers at once, and workers that die."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from typing import Any

import pytest
import redis
from django.db import connection, transaction

from apps.core.models import OutboxMessage
from apps.helpdesk.escalation import escalate_due
from apps.helpdesk.journal import ticket_changed
from apps.helpdesk.models import Ticket, TicketHistory
from apps.helpdesk.tasks import ticket_escalation
from apps.helpdesk.transitions import IllegalTransition

from ..threads import at_once
from .desk import HOUR, MONDAY, Desk, escalations, level_of

NOW = MONDAY + HOUR
pytestmark = pytest.mark.django_db(transaction=True)


def test_two_workers_at_once_escalate_each_ticket_once(broker) -> None:
    desk = Desk()
    desk.rule()
    desk.rule(level=2, value=1, unit="MINUTE")
    tickets = desk.many_tickets(60)
    counts = at_once(*[lambda: escalate_due(now=NOW, budget_seconds=3600).counts] * 3)
    assert sum((Counter(count) for count in counts), Counter())["escalated"] == len(tickets)
    assert set(Ticket.objects.values_list("level", flat=True)) == {1}
    assert TicketHistory.objects.filter(action="ESCALATE").count() == len(tickets) == broker.llen("email")


def test_a_ticket_in_another_transactions_hands_is_skipped_without_waiting(broker) -> None:
    desk = Desk()
    desk.rule()
    busy, free = desk.many_tickets(2)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Ticket.objects.select_for_update().get(pk=busy.pk)
            locked.set()
            done.wait(30)

    def work() -> Counter[str]:
        locked.wait(30)
        try:
            return escalate_due(now=NOW, budget_seconds=3600).counts
        finally:
            done.set()

    _, counts = at_once(hold, work)
    assert (counts["escalated"], counts["skipped"]) == (1, 1)
    assert (level_of(busy), level_of(free)) == (0, 1)
    assert escalate_due(now=NOW, budget_seconds=3600).counts["escalated"] == 1


def test_a_ticket_that_is_resolved_between_selection_and_lock_is_skipped(broker) -> None:
    desk = Desk()
    desk.rule()
    ticket, other = desk.many_tickets(2)

    def resolve_meanwhile(*_: Any, change: TicketHistory, **__: Any) -> None:
        if change.action == "ESCALATE":
            at_once(lambda: desk.change(other, "RESOLVE", NOW))

    ticket_changed.connect(resolve_meanwhile)
    try:
        counts = escalate_due(now=NOW, budget_seconds=3600).counts
    finally:
        ticket_changed.disconnect(resolve_meanwhile)
    assert (counts["found"], counts["escalated"], counts["skipped"]) == (2, 1, 1)
    assert (level_of(ticket), level_of(other)) == (1, 0)


def test_numbers_are_unique_and_without_gaps_when_many_raise_at_once(broker) -> None:
    desk = Desk()
    at_once(*[lambda: [desk.ticket() for _ in range(10)]] * 8)
    numbers = sorted(Ticket.objects.values_list("number", flat=True))
    assert numbers == [f"T-{number:06}" for number in range(1, 81)]


def test_a_ticket_that_is_put_on_hold_by_two_people_at_once_is_put_on_hold_once(broker) -> None:
    desk = Desk()
    ticket = desk.ticket()

    def hold() -> bool:
        try:
            desk.change(ticket, "HOLD", NOW)
        except IllegalTransition:
            return False
        return True

    assert sorted(at_once(hold, hold)) == [False, True]
    assert TicketHistory.objects.filter(action="HOLD").count() == 1


def test_a_worker_killed_half_way_loses_nothing_and_repeats_nothing(
    broker, run_jobs, mailoutbox, forget_keys
) -> None:
    desk = Desk()
    desk.rule()
    tickets = desk.many_tickets(6)
    kill_half_way()
    assert [level_of(ticket) for ticket in tickets] == [1, 1, 0, 0, 0, 0]
    assert len(enqueued()) == 2
    assert published(broker) == enqueued()

    forget_keys()  # the killed process's claims, which would be taken over four seconds later
    result = ticket_escalation.apply(kwargs={"now_iso": NOW.isoformat()}).get()
    assert (result["escalated"], result["failed"]) == (4, 0)
    assert [level_of(ticket) for ticket in tickets] == [1] * 6
    assert [len(escalations(ticket)) for ticket in tickets] == [1] * 6
    assert published(broker) == enqueued()
    assert [job.get() for job in run_jobs()] == [{"recipients": 2}] * 6
    ids = [mail.extra_headers["Message-ID"] for mail in mailoutbox]
    assert len(ids) == len(set(ids)) == 6


def enqueued() -> list[str]:
    """The ids of the mails' jobs in the outbox, from which no relay has removed them."""
    return list(OutboxMessage.objects.order_by("id").values_list("job", flat=True))


def published(broker: redis.Redis) -> list[str]:
    """The ids of the mails' jobs on the broker, oldest first."""
    return [json.loads(message)["headers"]["id"] for message in reversed(broker.lrange("email", 0, -1))]


def kill_half_way() -> None:
    """Run the job in a process, kill it amid its third ticket, and wait until the database has noticed."""
    name = str(connection.settings_dict["NAME"])
    command = [sys.executable, "-m", "tests.integration.helpdesk.half_way", name, NOW.isoformat()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        session = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while session_is_alive(session):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def session_is_alive(session: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = %s)", [session])
        return bool(cursor.fetchone()[0])
