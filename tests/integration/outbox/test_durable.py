"""A durable job's effects happen once, whatever dies when."""

from typing import Any

import pytest
import redis
from celery._state import _task_stack
from celery.exceptions import Retry
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from apps.core.models import IdempotencyRecord, OutboxMessage
from intelliwiz_config.celery import app

from ..workers import eventually
from .jobs import pay, pay_hesitantly, pay_later
from .test_enqueueing import age_rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_effect_record_children_and_row_are_one_transaction(waiting, start, seen, accounts) -> None:
    result = pay.delay(7, 5)
    assert OutboxMessage.objects.get().job == result.id
    start("--pool=prefork", "--concurrency=1")
    assert result.get(timeout=20) == 7
    eventually(lambda: len(seen(2)) == 2)  # itself and its child
    assert accounts() == {"bank": -5, "shop": 5}
    assert IdempotencyRecord.objects.get().job == result.id
    assert not OutboxMessage.objects.filter(durable=True).exists()


def test_a_failed_attempt_leaves_nothing_and_the_retry_keeps_the_row(waiting, start, seen, accounts) -> None:
    start("--pool=solo")
    result = pay.delay(7, 5, fail=2)
    assert result.get(timeout=20) == 7
    lines = seen(4)
    assert [line["attempt"] for line in lines if line["task"] == "test.pay"] == [0, 1, 2]
    assert sum(line["task"] == "test.plain" for line in lines) == 1  # of three attempts one was committed
    assert accounts() == {"bank": -5, "shop": 5}
    assert not OutboxMessage.objects.filter(durable=True).exists()


def test_retry_in_the_body_is_published_after_the_rollback(waiting, start, accounts) -> None:
    start("--pool=solo")
    assert pay_later.delay(4).get(timeout=20) == "paid"
    assert accounts() == {"bank": -4, "shop": 4}


def test_retry_that_does_not_throw_is_an_error_that_says_so(waiting, start) -> None:
    start("--pool=solo")
    with pytest.raises(Exception, match="cannot go on after retry"):
        pay_hesitantly.delay().get(timeout=20)


@pytest.mark.parametrize("step", ["durable.worked", "durable.committed"])
def test_a_process_killed_around_the_commit_pays_once(waiting, start, seen, accounts, step) -> None:
    """The second worker is there from the start and rescues what the first has held."""
    start("--pool=solo", environment={"TEST_KILLED_AT": f"{step}:1"})
    result = pay.delay(7, 5)
    seen(1)
    start("--pool=solo")
    assert result.get(timeout=30) == 7
    assert accounts() == {"bank": -5, "shop": 5}


def test_all_data_of_the_server_may_be_lost(waiting, server, start, seen, accounts, relaying) -> None:
    results = app.enqueue_many(pay.si(number, 1) for number in range(300))
    start("--pool=prefork", "--concurrency=2")
    eventually(lambda: accounts()["shop"] > 50)
    server.flushall()
    eventually(lambda: not OutboxMessage.objects.filter(durable=True).exists(), 60)
    assert accounts() == {"bank": -300, "shop": 300}
    assert IdempotencyRecord.objects.filter(job__in=[result.id for result in results]).count() == 300


def test_a_job_lost_by_the_server_is_published_again_and_one_that_is_there_is_not(waiting, server, relay) -> None:
    first, second = pay.delay(1, 1), pay.delay(2, 1)
    age_rows()
    relay.work()
    lost = OutboxMessage.objects.get(job=second.id)
    server.srem("bgjobs:outbox", lost.tag)  # the server has gone back to a time before its publication
    server.lpop("high_priority")
    assert waiting() == [first.id]
    relay.work()
    assert waiting() == [first.id, second.id]


def test_a_delivery_of_a_job_that_is_done_is_answered(waiting, server, start, seen, accounts, forget_keys) -> None:
    """The server has forgotten all, as after going back in time, and delivers it once more."""
    result = pay.delay(7, 5)
    (text,) = server.lrange("high_priority", 0, -1)
    running = start("--pool=solo")
    assert result.get(timeout=20) == 7
    seen(2)
    forget_keys()
    server.lpush("high_priority", text)
    eventually(lambda: [event for event in running.events() if event.get("outcome") == "answered"])
    assert accounts() == {"bank": -5, "shop": 5}


def test_another_job_with_the_key_is_answered_by_the_record(waiting, start, seen, accounts, forget_keys) -> None:
    start("--pool=solo")
    assert pay.delay(7, 5).get(timeout=20) == 7
    forget_keys()
    again = pay.delay(7, 5)
    assert again.get(timeout=20) == 7
    assert accounts() == {"bank": -5, "shop": 5}
    eventually(lambda: not OutboxMessage.objects.filter(durable=True).exists())
    IdempotencyRecord.objects.update(expires_at="2020-01-01T00:00:00Z")  # its time is over
    forget_keys()
    assert pay.delay(7, 5).get(timeout=20) == 7
    assert accounts() == {"bank": -10, "shop": 10}
    assert IdempotencyRecord.objects.count() == 2  # each job is known, and the key is the latest's


def test_completion_is_one_statement_beside_begin_and_commit(accounts) -> None:
    with CaptureQueriesContext(connection) as queries:
        pay.apply(args=(2, 1), task_id="one", throw=True)
    of_the_engine = [query["sql"] for query in queries if "auth_user" not in query["sql"]]
    begin, childs_row, record, commit = of_the_engine
    assert (begin, commit) == ("BEGIN", "COMMIT")
    assert "test.plain" in childs_row
    assert "INSERT INTO bgjobs_idempotencyrecord" in record


def test_without_its_store_the_database_answers(accounts, monkeypatch) -> None:
    from apps.core.idempotency import guard

    class Down:
        def claim(self, key: str, *, job: str) -> None:
            raise redis.ConnectionError("down")

    monkeypatch.setattr(guard, "records", lambda: Down())
    assert pay.apply(args=(7, 5), task_id="one", throw=True).get() == 7
    assert pay.apply(args=(7, 5), task_id="two", throw=True).get() == 7
    assert pay.apply(args=(7, 5), task_id="one", throw=True).get() == 7
    assert accounts() == {"bank": -5, "shop": 5}


def test_two_deliveries_at_once_pay_once(accounts, monkeypatch) -> None:
    """A false rescue: the second runs into the record that the first is about to commit, and waits for it."""
    import threading

    from apps.core.idempotency import durable

    at_the_end = threading.Barrier(2, timeout=20)
    real = durable._write_record

    def together(task: Any, value: Any) -> None:
        at_the_end.wait()
        real(task, value)

    def run(number: int, answers: list[Any]) -> None:
        with transaction.atomic():
            try:
                task = pay
                task.push_request(id="one", bgjobs_key="the key")
                answers.append(durable.run_in_transaction(task, lambda: number))
            except durable.DoneBeforeError:
                answers.append("done before")
            finally:
                task.pop_request()
        connection.close()

    monkeypatch.setattr(durable, "_write_record", together)
    answers: list[Any] = []
    threads = [threading.Thread(target=run, args=(number, answers)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "done before" in answers
    assert IdempotencyRecord.objects.count() == 1


def test_a_retry_needs_no_database(waiting, monkeypatch) -> None:
    """A restart of the database fails many jobs at once: their retries must not fail for the same reason."""
    from django.db import OperationalError as DatabaseDown

    from apps.core.outbox import rows

    def refuse(_: Any) -> None:
        raise DatabaseDown("the database is down")

    first = pay.delay(1, 1)
    monkeypatch.setattr(rows, "write", refuse)
    _task_stack.push(pay)
    pay.push_request(id=first.id, args=(1, 1), kwargs={}, called_directly=False, retries=0, delivery_info={})
    try:
        with pytest.raises(Retry):
            pay.retry(countdown=0.01, exc=OSError())
    finally:
        pay.pop_request()
        _task_stack.pop()
    eventually(lambda: app.outlet.store.connections.call("ZCARD", "bgjobs:delayed:high_priority") == 1)


def test_a_time_limit_that_strikes_when_the_commit_is_done_does_not_undo_the_job(accounts, monkeypatch) -> None:
    from celery.exceptions import SoftTimeLimitExceeded

    real = connection._commit

    def too_late() -> None:
        real()
        monkeypatch.undo()
        raise SoftTimeLimitExceeded()

    monkeypatch.setattr(connection, "_commit", too_late)
    assert pay.apply(args=(7, 5), task_id="one", throw=True).get() == 7
    assert accounts() == {"bank": -5, "shop": 5}


def test_records_are_kept_for_a_week_and_as_long_as_they_answer() -> None:
    from datetime import timedelta

    from django.utils import timezone

    from apps.core.upkeep import cleanup_idempotency_records

    now = timezone.now()
    for job, done, until in (("old", 8, 7), ("answers", 8, -1), ("new", 6, 5)):
        IdempotencyRecord.objects.create(
            job=job,
            task="t",
            result="{}",
            completed_at=now - timedelta(days=done),
            expires_at=now - timedelta(days=until),
        )
    assert cleanup_idempotency_records() == 1
    assert set(IdempotencyRecord.objects.values_list("job", flat=True)) == {"answers", "new"}
