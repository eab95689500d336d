"""auto_close on many rows: what it costs per row and per batch."""

import gc
from collections import Counter

import psutil
import pytest
from celery.result import denied_join_result
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.sweeps import BATCH
from apps.helpdesk.models import Ticket
from apps.operations.models import JobNeed
from apps.operations.tasks import enqueue_mail

from ..workers import ROWS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("on_expiry", "most"), [("NONE", 2), ("NOTIFY", 3), ("RAISE_TICKET", 8)])
def test_a_row_costs_at_most_eight_statements_beside_begin_and_commit(company, run_sweep, queued, on_expiry, most):
    company.escalates_after(4, "HOUR")
    company.occurrence(
        on_expiry=on_expiry, status="IN_PROGRESS", checkpoints=["COMPLETED", "ASSIGNED", "ASSIGNED"], checklist=[True]
    )
    with CaptureQueriesContext(connection) as queries:
        run_sweep(tell=enqueue_mail)
    selecting = [query for query in queries if is_selection(query)]
    assert len(selecting) == 2  # the row, and then nothing more
    transactions = [query for query in queries if query["sql"] in ("BEGIN", "COMMIT")]
    assert len(transactions) == 2
    assert len(queries) - len(selecting) - len(transactions) <= most


def test_statements_grow_with_the_rows_alone_and_each_batch_is_one_selection(company, run_sweep, queued):
    costs = {}
    for number in (BATCH, 2 * BATCH, 3 * BATCH):
        company.occurrences(number, on_expiry="NOTIFY")
        with CaptureQueriesContext(connection) as queries:
            assert run_sweep(tell=enqueue_mail).counts["mails"] == number
        selections = sum(map(is_selection, queries))
        assert selections == number // BATCH + 1
        costs[number] = (len(queries) - selections) / number
    assert len(set(costs.values())) == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_many_overdue_rows_are_all_closed_in_bounded_memory(company, run_sweep, queued):
    with_ticket = ROWS // 10
    company.occurrences(ROWS - with_ticket, on_expiry="NOTIFY")
    company.occurrences(with_ticket, on_expiry="RAISE_TICKET")
    gc.collect()
    memory = [resident_mib()]
    told = Counter()

    def tell(notice):
        told[notice.ticket_number is not None] += 1
        if told.total() % 500 == 0:
            memory.append(resident_mib())

    with denied_join_result():  # as in a worker: nobody waits for the jobs that are enqueued
        sweep = run_sweep(tell=tell)
    assert sweep.counts == {"found": ROWS, "closed": ROWS, "tickets": with_ticket, "mails": ROWS}
    assert told == {False: ROWS - with_ticket, True: with_ticket}
    assert Ticket.objects.count() == with_ticket
    assert not JobNeed.objects.filter(status="ASSIGNED").exists()
    assert max(memory) - memory[0] < 30


def resident_mib():
    return psutil.Process().memory_info().rss / 1024**2


def is_selection(query):
    return query["sql"].endswith(f"LIMIT {BATCH}")
