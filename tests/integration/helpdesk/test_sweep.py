"""The sweep as a whole: budget, bad rows, number of queries, many rows."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import psutil
import pytest
from django.db import connection

from apps.core.sweeps import BATCH
from apps.helpdesk.escalation import escalate_due
from apps.helpdesk.models import Ticket, TicketHistory
from apps.organization.models import Holiday, Site

from ..workers import ROWS
from .desk import HOUR, MONDAY, Desk, counted, escalations, level_of

NOW = MONDAY + HOUR
PER_ITEM = 5  # lock, read, update, history, its mail
PER_BATCH = 1


class Queries:
    """Counts the statements that go to the database, and looks at the process's memory now and then."""

    def __init__(self) -> None:
        self.number = 0
        self.memory: list[int] = []
        self._process = psutil.Process()

    def __call__(self, execute, sql, params, many, context):
        self.number += 1
        if self.number % 1000 == 0:
            self.memory.append(self._process.memory_info().rss)
        return execute(sql, params, many, context)


@contextmanager
def counted_queries() -> Iterator[Queries]:
    queries = Queries()
    with connection.execute_wrapper(queries):
        yield queries


def test_a_budget_ends_a_part_and_the_next_part_goes_on_behind_it(desk: Desk) -> None:
    desk.rule()
    tickets = desk.many_tickets(10)
    parts, after = [], 0
    for _ in range(10):
        ticks = count()  # every look at the clock is a second later
        outcome = escalate_due(now=NOW, after=after, budget_seconds=3, clock=lambda ticks=ticks: next(ticks))
        parts.append(counted(outcome))
        if outcome.resume_after is None:
            break
        after = outcome.resume_after
    assert parts == [{"found": 3, "escalated": 3}] * 3 + [{"found": 1, "escalated": 1, "at_top": 10}]
    assert all(len(escalations(ticket)) == 1 for ticket in tickets)


def test_one_bad_row_costs_one_row(desk: Desk) -> None:
    desk.rule()
    bad, nowhere, good = desk.ticket(), desk.ticket(site_id=desk.add_site("S2").pk), desk.ticket()
    TicketHistory.objects.create(
        ticket=bad, at=NOW, action="ESCALATE", status="NEW", cycle=1, from_level=0, to_level=1
    )
    Site.objects.filter(pk=nowhere.site_id).update(timezone="Mars/Olympus")
    desk.policy(opens_at="00:00", closes_at="00:00")
    outcome = escalate_due(now=NOW, budget_seconds=3600)
    assert outcome.counts["escalated"] == 1
    assert outcome.counts["failed"] == 2
    assert [error["id"] for error in outcome.errors] == [bad.pk, nowhere.pk]
    assert "ticket_escalates_once_per_level" in outcome.errors[0]["reason"]
    assert "Mars/Olympus" in outcome.errors[1]["reason"]
    assert (level_of(bad), level_of(nowhere), level_of(good)) == (0, 0, 1)


@pytest.mark.parametrize("number", [1, 7, BATCH + 1])
def test_the_number_of_queries_is_constant_per_item_and_per_batch(desk: Desk, number: int) -> None:
    desk.rule(assign_group=desk.add_group(desk.lead))
    desk.policy(opens_at="00:00", closes_at="00:00")
    Holiday.objects.create(tenant=desk.tenant, date="2026-12-25")
    desk.many_tickets(number)
    with counted_queries() as queries:
        escalate_due(now=NOW, budget_seconds=3600)
    savepoints = 2 * number  # the test's own transaction turns each item's transaction into a savepoint
    batches = -(-number // BATCH) + 1  # the last one finds nothing
    assert queries.number == number * PER_ITEM + savepoints + batches * PER_BATCH + 1  # at_top


def test_a_ticket_that_was_on_hold_costs_no_further_query(desk: Desk) -> None:
    desk.rule()
    ticket = desk.ticket()
    for _ in range(3):
        desk.change(ticket, "HOLD", MONDAY)
        desk.change(ticket, "RESUME", MONDAY)
    with counted_queries() as queries:
        escalate_due(now=NOW, budget_seconds=3600)
    assert queries.number == PER_ITEM + 2 + 2 * PER_BATCH + 1


def test_tickets_outside_business_hours_are_looked_at_without_a_query_each(desk: Desk) -> None:
    desk.rule(value=9)
    desk.policy()
    desk.many_tickets(50)
    with counted_queries() as queries:
        outcome = escalate_due(now=MONDAY + 12 * HOUR, budget_seconds=3600)
    assert counted(outcome) == {"found": 50}
    assert queries.number == 2 * 50 + 2 * PER_BATCH + 1  # savepoints of the test; really no statement at all


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_many_due_tickets_take_bounded_memory_and_constant_queries(broker) -> None:
    number = ROWS
    desks = [Desk("acme"), Desk("york", zone="America/New_York")]
    for desk in desks:
        desk.rule(assign_group=desk.add_group(desk.lead, desk.guard))
        desk.rule(level=2)
        desk.policy(opens_at="00:00", closes_at="00:00", weekdays=[1, 2, 3, 4, 5, 6, 7])
        desk.many_tickets(number // 2)
    started = time.monotonic()
    with counted_queries() as queries:
        outcome = escalate_due(now=NOW, budget_seconds=3600)
    took = time.monotonic() - started

    assert counted(outcome) == {"found": number, "escalated": number}
    assert Ticket.objects.filter(level=1, last_escalated_at=NOW).count() == number
    assert TicketHistory.objects.filter(action="ESCALATE").count() == broker.llen("email") == number
    assert queries.number == number * PER_ITEM + (number // BATCH + 1) * PER_BATCH + 1
    early, late = max(queries.memory[:10]), max(queries.memory[-10:])
    growth = (late - early) / 2**20
    assert growth < 30, f"{growth:.0f} MiB more at the end than after the first thousands of queries"
    print(f"{number} escalations: {took:.1f} s, {queries.number} queries, {growth:+.1f} MiB")  # noqa: T201 - for -s

    again = escalate_due(now=NOW + timedelta(minutes=30), budget_seconds=3600)
    assert counted(again) == {}
