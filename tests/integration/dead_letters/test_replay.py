"""Replays: exact, once each, at a rate, with or without the key, with other arguments."""

import base64
import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis

from apps.core.dead_letters.models import DeadLetter
from apps.core.dead_letters.original import UnreadableMessageError
from apps.core.dead_letters.portions import PORTION
from apps.core.dead_letters.replay import Replay, replay
from apps.core.dead_letters.selection import Selection
from apps.core.idempotency import Claimed, Failed, durable, records
from apps.core.outbox import rows

from ..workers import SEEN, Worker, eventually
from . import jobs
from .conftest import QUEUE, killed_at
from .letters import made, saved

pytestmark = pytest.mark.django_db(transaction=True)
Seen = Callable[..., list[dict[str, Any]]]
ALL = Selection(task="test.dl.work")
KEY = "test.dl.once:global:key=replayed"


def outbox() -> list[dict[str, Any]]:
    return [json.loads(text) for text in rows.table().order_by("id").values_list("message", flat=True)]


def test_ten_thousand_are_replayed_once_each_though_the_replay_is_killed_half_way() -> None:
    DeadLetter.objects.bulk_create([made("test.dl.work", number) for number in range(10_000)], batch_size=2000)
    assert killed_at("replay.written", 9, "test.dl.work") == -signal.SIGKILL
    assert rows.table().count() == DeadLetter.objects.filter(state="replayed").count() == 4_000
    count = 0
    while count < 6_000:  # the database may take a moment to let go of what the killed one has held
        count += replay(ALL).count
    replayed = Counter(rows.table().values_list("job", flat=True))
    assert set(replayed.values()) == {1}
    assert replayed.keys() == set(DeadLetter.objects.values_list("job", flat=True))
    assert rows.table().values("tag").distinct().count() == 10_000
    assert not DeadLetter.objects.filter(state="open").exists()
    assert not DeadLetter.objects.filter(closed_at=None).exists()
    assert replay(ALL).count == 0


def test_what_fails_again_meanwhile_is_left_to_the_next_replay(monkeypatch: pytest.MonkeyPatch) -> None:
    DeadLetter.objects.bulk_create([made("test.dl.work", number) for number in range(PORTION + 1)])
    again: list[DeadLetter] = []

    def fail_again(point: str, **_: Any) -> None:
        if point == "replay.written":
            again.append(saved("test.dl.work"))

    monkeypatch.setattr("apps.core.dead_letters.replay.steps.reached", fail_again)
    assert replay(ALL).count == PORTION + 1
    assert [letter.pk for letter in DeadLetter.objects.filter(state="open").order_by("id")] == [
        letter.pk for letter in again
    ]
    assert len(again) == 2


@pytest.mark.slow
def test_replayed_jobs_run_once_each(
    broker: redis.Redis, start: Callable[..., Worker], publish: Callable[[], int], seen: Seen
) -> None:
    letters = [saved("test.dl.work", number, headers={"retries": 3}) for number in range(20)]
    assert replay(ALL).count == 20
    assert publish() == 20
    start("--pool=solo")
    lines = seen(20)
    assert {line["job"] for line in lines} == {letter.job for letter in letters}
    assert sorted(line["number"] for line in lines) == list(range(20))
    assert {line["retries"] for line in lines} == {0}
    eventually(lambda: not broker.llen(QUEUE))
    assert broker.llen(SEEN) == 20


def test_all_but_what_belongs_to_the_attempt_is_as_it_was() -> None:
    headers = {
        "retries": 3,
        "expires": "2020-01-01T00:00:00+00:00",
        "eta": "2020-01-01T00:00:00+00:00",
        "bgjobs_tenant": "7",
        "bgjobs_key": KEY,
        "timelimit": [10, 5],
        "stamps": {"a": ["b"]},
    }
    letter = saved("test.dl.work", "é", 1.5, headers=headers)
    before = json.loads(bytes(letter.message))
    replay(ALL)
    (row,) = rows.table().all()
    (after,) = outbox()
    assert before.pop("ready_at")
    assert (row.job, row.task, row.queue, row.list, row.due) == (letter.job, "test.dl.work", QUEUE, QUEUE, 0)
    assert row.tag == after["properties"].pop("delivery_tag") != before["properties"].pop("delivery_tag")
    assert after["headers"].pop("bgjobs_ready_at") > time.time() - 60
    changed = {"retries": 0, "expires": None, "eta": None}
    assert after == before | {"headers": before["headers"] | changed}


def test_a_future_eta_is_kept() -> None:
    eta = datetime.now(UTC) + timedelta(hours=1)
    saved("test.dl.work", headers={"eta": eta.isoformat()})
    replay(ALL, Replay(rate=1))
    (row,) = rows.table().all()
    assert row.due == eta.timestamp()
    assert outbox()[0]["headers"]["eta"] == eta.isoformat()


def test_a_rate_spreads_the_moments_and_nothing_has_to_stay_running(
    publish: Callable[[], int], broker: redis.Redis
) -> None:
    DeadLetter.objects.bulk_create([made("test.dl.work", number) for number in range(1200)])
    assert replay(ALL, Replay(rate=50), clock=lambda: 1e10).count == 1200
    due = list(rows.table().order_by("id").values_list("due", flat=True))
    assert due[0] == 0
    assert due[1:] == pytest.approx([1e10 + place / 50 for place in range(1, 1200)])
    publish()
    assert broker.zcard(f"bgjobs:delayed:{QUEUE}") == 1199


def test_a_duplicate_of_another_job_is_not_forgiven_and_this_jobs_own_failure_is() -> None:
    mine = saved("test.dl.once", 1, headers={"bgjobs_key": KEY})
    for job, answer in (("another", Failed), (mine.job, Claimed)):
        claim = records().claim(KEY, job=job)
        assert isinstance(claim, Claimed)
        records().fail(claim, "ValueError", "once", 600)
        DeadLetter.objects.update(state="open")
        assert replay(Selection(task="test.dl.once")).count == 1
        again = records().claim(KEY, job=mine.job)
        assert isinstance(again, answer)
        records().release(KEY)


def test_a_released_key_lets_the_job_run_though_another_one_has_succeeded() -> None:
    letter = saved("test.dl.durable", 1, headers={"bgjobs_key": KEY, "bgjobs_durable": True})
    claim = records().claim(KEY, job="another")
    assert isinstance(claim, Claimed)
    records().succeed(claim, "done", 600)
    durable.table().create(job="another", key=KEY, task="x", result="{}", expires_at=datetime.now(UTC) + timedelta(1))
    assert replay(Selection(names=(letter.job,)), Replay(release_key=True)).count == 1
    assert durable.table().get().key is None
    assert isinstance(records().claim(KEY, job=letter.job), Claimed)
    assert rows.table().get().durable is True
    records().release(KEY)


@pytest.mark.slow
def test_a_failed_job_that_is_replayed_under_its_key_runs_again(
    broker: redis.Redis,
    start: Callable[..., Worker],
    move: Callable[[], None],
    publish: Callable[[], int],
    seen: Seen,
) -> None:
    job = jobs.once.delay("key").id
    start("--pool=solo")
    seen(1)
    eventually(lambda: broker.hlen("bgjobs:quarantine"))
    move()
    assert replay(Selection(names=(job,))).count == 1
    publish()
    assert [line["job"] for line in seen(2)] == [job, job]
    eventually(lambda: broker.hlen("bgjobs:quarantine"))
    move()
    assert sorted(DeadLetter.objects.values_list("state", flat=True)) == ["open", "replayed"]
    assert DeadLetter.objects.values("fingerprint").distinct().count() == 1


@pytest.mark.slow
def test_edited_arguments_are_what_runs(
    broker: redis.Redis, start: Callable[..., Worker], publish: Callable[[], int], seen: Seen
) -> None:
    saved("test.dl.durable", 1, headers={"bgjobs_key": KEY, "bgjobs_unique": KEY, "bgjobs_durable": True})
    new = ([2], {"fails": False})
    assert replay(Selection(task="test.dl.durable"), Replay(arguments=new)).count == 1
    (message,) = outbox()
    assert json.loads(base64.b64decode(message["body"]))[:2] == [[2], {"fails": False}]
    assert message["headers"]["argsrepr"] == "(2,)"
    assert not {"bgjobs_key", "bgjobs_unique"} & message["headers"].keys()
    publish()
    start("--pool=solo")
    assert [line["number"] for line in seen(1)] == [2]
    eventually(lambda: not rows.table().exists())


def test_where_another_job_has_the_unique_key_the_letter_stays_open() -> None:
    first, second = (saved("test.dl.work", 1, headers={"bgjobs_unique": KEY}) for _ in range(2))
    done = replay(ALL)
    assert (done.count, done.held_back) == (1, [second.pk])
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.state, second.state) == ("replayed", "open")


def test_two_letters_of_one_durable_job_are_one_replay() -> None:
    first = saved("test.dl.durable", 1, headers={"bgjobs_durable": True})
    second = saved("test.dl.durable", 1, job=first.job, headers={"bgjobs_durable": True})
    done = replay(Selection(task="test.dl.durable"))
    assert (done.count, done.held_back) == (1, [second.pk])
    assert rows.table().count() == 1


def test_what_is_no_jobs_message_stays_open() -> None:
    letter = saved("test.dl.work", message=b"\xff garbage")
    done = replay(ALL)
    assert (done.count, done.unreadable) == (0, [letter.pk])
    with pytest.raises(UnreadableMessageError, match="cannot be replayed"):
        raise UnreadableMessageError


def test_a_letter_of_a_queue_that_is_gone_stays_open() -> None:
    letter = saved("test.dl.work", queue="gone", list_name="gone")
    assert replay(ALL).unreadable == [letter.pk]
    assert not rows.table().exists()


def test_each_part_of_a_selection_narrows_it() -> None:
    now = datetime.now(UTC)
    mine = saved("test.dl.work", tenant="7", fingerprint="f" * 16, reason="poison", last_at=now - timedelta(hours=1))
    saved("test.dl.other", last_at=now - timedelta(days=2))
    for selection in (
        Selection(names=(str(mine.pk),)),
        Selection(names=(mine.job, "unknown")),
        Selection(task="test.dl.work"),
        Selection(tenant="7"),
        Selection(fingerprint="f" * 16),
        Selection(reason="poison"),
        Selection(since=now - timedelta(days=1)),
    ):
        assert [letter.pk for letter in selection.letters()] == [mine.pk], selection
        assert selection
    assert Selection(queue=QUEUE).letters().count() == 2
    assert not Selection()
