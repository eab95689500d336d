"""Every bad end of a job becomes one dead letter with the very bytes of its message, and no good end does."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis

from apps.core.broker.store import MessageStore
from apps.core.context import JobContext
from apps.core.dead_letters.models import DeadLetter
from apps.core.idempotency import Claimed, records
from apps.core.outbox import rows

from ..broker.trial import text_of
from ..workers import SEEN, Worker, eventually, unfinished
from . import jobs
from .conftest import QUEUE

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
Start = Callable[..., Worker]

RAW = {
    "undecodable": b"\xff no message",
    "no_task": json.dumps(json.loads(text_of("x")) | {"headers": {"id": "no-task"}}).encode(),
    "invalid_task": json.dumps(json.loads(text_of("x")) | {"body": "MTc="})
    .replace("test.trial.x", "test.dl.work")
    .encode(),
    "unknown_task": text_of("of_the_next_release").encode(),
}


def settled(broker: redis.Redis) -> bool:
    return not unfinished(broker, QUEUE)


def enqueue_each_kind() -> dict[str, str]:
    """Job ids by the reason that is expected."""
    past = datetime.now(UTC) - timedelta(seconds=5)
    return {
        "permanent": jobs.permanent.delay(17).id,
        "transient": jobs.transient.delay().id,
        "rate_limited": jobs.rate_limited.delay().id,
        "timeout": jobs.late.delay().id,
        "time_limit": jobs.too_late.delay().id,
        "poison": jobs.deadly.delay().id,
        "rejected": jobs.reject.delay().id,
        "expired": jobs.work.apply_async((1,), expires=past).id,
    }


def test_each_kind_of_bad_end_is_one_letter_and_good_ends_are_none(
    broker: redis.Redis, start: Start, move: Callable[[], None], store: MessageStore
) -> None:
    expected = enqueue_each_kind()
    jobs.flaky.delay()
    jobs.early.delay()
    odd = jobs.odd.delay().id
    revoked = jobs.work.delay("revoked").id
    store.revoke([revoked])
    for text in RAW.values():
        broker.lpush(QUEUE, text)
    first = jobs.once.delay("same").id
    published = {json.loads(text)["headers"]["id"]: text for text in _texts(broker) if _is_job(text)}
    worker = start("--pool=prefork", "--concurrency=3")
    eventually(lambda: settled(broker) and broker.llen(SEEN) >= 2)
    again = jobs.once.delay("same").id  # within its failure's time: it is told, and is no letter of its own
    eventually(lambda: settled(broker))
    move()

    letters = {letter.job: letter for letter in DeadLetter.objects.all() if letter.reason not in RAW}
    assert {letters[job].reason for job in expected.values()} == expected.keys()
    assert letters.keys() == {*expected.values(), odd, first}
    assert again not in letters
    for job, letter in letters.items():
        if letter.reason != "transient":  # the message of its retry is another
            assert bytes(letter.message) == published[job]
    for reason, text in RAW.items():
        raw = DeadLetter.objects.get(reason=reason)
        assert bytes(raw.message).startswith(text)
    assert DeadLetter.objects.count() == len(letters) + len(RAW)
    assert broker.hlen("bgjobs:quarantine") == broker.hlen("bgjobs:troubles") == 0
    assert worker.process.poll() is None
    _tells_what_happened({reason: letters[job] for reason, job in expected.items()}, letters[odd])


def _texts(broker: redis.Redis) -> list[bytes]:
    settings = {**broker.connection_pool.connection_kwargs, "decode_responses": False}
    pool = redis.ConnectionPool(broker.connection_pool.connection_class, **settings)
    with redis.Redis(connection_pool=pool) as client:
        return list(client.lrange(QUEUE, 0, -1))


def _is_job(text: bytes) -> bool:
    try:
        return "id" in json.loads(text)["headers"]
    except ValueError:
        return False


def _tells_what_happened(letters: dict[str, DeadLetter], odd: DeadLetter) -> None:
    permanent = letters["permanent"]
    assert (permanent.error, permanent.attempts, permanent.queue) == ("ValueError", 1, QUEUE)
    assert permanent.error_text == "number 17 of [e-mail] is wrong,"
    assert "raise ValueError" in permanent.traceback
    assert "ann@example.com" not in permanent.traceback
    assert {reason: letter.attempts for reason, letter in letters.items()} == {
        **dict.fromkeys(letters, 1),
        "transient": 2,
        "expired": 0,
    }
    assert letters["transient"].first_at < letters["transient"].last_at
    assert letters["rejected"].error_text == "not for me"
    assert letters["time_limit"].error_text == "killed after 1 s"
    assert [line.split()[1] for line in letters["poison"].history] == ["process_died"]
    assert len({letter.fingerprint for letter in letters.values()}) == len(letters)
    assert (odd.error, odd.error_text) == ("OddError", "7: odd")
    assert 'raise OddError(7, "odd")' in odd.traceback


@pytest.mark.parametrize("pool", ["solo", "threads"])
def test_other_pools_tell_the_same(broker: redis.Redis, start: Start, move: Callable[[], None], pool: str) -> None:
    failed, rejected = jobs.permanent.delay(17), jobs.reject.delay()
    expired = jobs.work.apply_async((1,), expires=datetime.now(UTC) - timedelta(seconds=5))
    start(f"--pool={pool}", "--concurrency=2")
    eventually(lambda: settled(broker))
    move()
    letters = {letter.job: letter for letter in DeadLetter.objects.all()}
    reasons = {job: letter.reason for job, letter in letters.items()}
    assert reasons == {failed.id: "permanent", rejected.id: "rejected", expired.id: "expired"}
    assert "raise ValueError" in letters[failed.id].traceback
    assert letters[failed.id].fingerprint != letters[rejected.id].fingerprint


def test_a_durable_job_leaves_the_outbox_with_its_letter_or_when_it_was_revoked(
    broker: redis.Redis, start: Start, move: Callable[[], None], store: MessageStore
) -> None:
    failed, revoked = jobs.durable.delay(1), jobs.durable.delay(2)
    store.revoke([revoked.id])
    assert rows.table().count() == 2
    start("--pool=solo")
    eventually(lambda: settled(broker))
    assert rows.table().count() == 2
    move()
    assert [letter.job for letter in DeadLetter.objects.all()] == [failed.id]
    assert rows.table().count() == 0
    assert broker.hlen("bgjobs:quarantine") == 0


def test_a_durable_duplicate_that_is_refused_leaves_the_outbox_without_a_letter(
    broker: redis.Redis, start: Start, move: Callable[[], None]
) -> None:
    key = jobs.durable.key_for((3,), {}, JobContext())
    claim = records().claim(key, job="another")
    assert isinstance(claim, Claimed)
    jobs.durable.delay(3)
    start("--pool=solo")
    eventually(lambda: broker.hlen("bgjobs:quarantine"))
    move()
    assert (DeadLetter.objects.count(), rows.table().count(), broker.hlen("bgjobs:quarantine")) == (0, 0, 0)
    records().release(key)


def test_a_failure_whose_message_comes_again_is_told_by_what_its_key_remembers(
    broker: redis.Redis, start: Start, move: Callable[[], None]
) -> None:
    """As after a worker's death between a job's failure and its letter."""
    job = jobs.once.delay("again").id
    text = _texts(broker)[0]
    start("--pool=solo")
    eventually(lambda: settled(broker))
    broker.delete("bgjobs:quarantine")
    broker.lpush(QUEUE, text)
    eventually(lambda: broker.hlen("bgjobs:quarantine"))
    move()
    letter = DeadLetter.objects.get()
    assert (letter.job, letter.reason, letter.error, letter.error_text) == (job, "permanent", "ValueError", "once")
    assert broker.llen(SEEN) == 1
