"""What is in the stream becomes a row, once, whatever dies when and whatever it holds."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.db import connection

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore
from apps.core.metrics.events import RUNS_TOGETHER
from apps.core.relaying import chores
from apps.core.runs import archive
from apps.core.runs.archive import Archiver
from apps.core.runs.attempts import attempts
from apps.core.runs.models import JobRun

from ..dead_letters.conftest import database_url

pytestmark = pytest.mark.django_db(transaction=True)
HEAD = "succeeded - email 1 0 - - send_mail"
TIMES = "120000 35000 -"
OWNER = "host:1:abc"


@pytest.fixture
def store(server: redis.Redis) -> Iterator[MessageStore]:
    store = configured_store()
    store.client.delete(store.key("runs"))
    yield store
    store.client.delete(store.key("runs"))


@pytest.fixture
def ended(store: MessageStore) -> Callable[..., None]:
    """Notes in the stream that attempts have ended."""

    def note(count: int = 1, *, head: str = HEAD, times: str = TIMES, first: int = 0, **facts: Any) -> None:
        pipeline = store.client.pipeline()
        for number in range(first, first + count):
            text = note_of(number, head=head, times=times, **facts)
            pipeline.xadd(store.key("runs"), {"o": OWNER, f"{number}-0": text})
        pipeline.execute()

    return note


def note_of(number: int, *, head: str = HEAD, times: str = TIMES, **facts: Any) -> str:
    return f"{head}\n{times}\n{json.dumps({'job': f'j{number}', **facts})}"


def left(store: MessageStore) -> int:
    return int(store.client.xlen(store.key("runs")))


def killed_at(step: str) -> int:
    """The exit code of a process that archives until it kills itself."""
    ended = subprocess.run(
        [sys.executable, Path(__file__).with_name("killed_at.py"), step],
        env={**os.environ, "DATABASE_URL": database_url(), "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended.returncode


def test_an_archiver_that_dies_before_it_removes_the_entries_has_written_them_once(
    store: MessageStore, ended: Callable[..., None]
) -> None:
    ended(3)
    assert killed_at("runs.copied") == -signal.SIGKILL
    assert (JobRun.objects.count(), left(store)) == (3, 3)
    before = set(JobRun.objects.values_list("pk", "key"))
    ended(1, first=3)
    assert not Archiver(store).work()
    assert before < set(JobRun.objects.values_list("pk", "key"))
    assert (JobRun.objects.count(), left(store)) == (4, 0)


def test_what_the_database_did_not_take_stays_in_the_stream(
    store: MessageStore, ended: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(2)
    monkeypatch.setattr(archive, "write", lambda _: False)  # as while another relay is at it
    assert not Archiver(store).work()
    assert left(store) == 2


def test_more_than_a_portion_is_done_portion_by_portion(
    store: MessageStore, ended: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PORTION", 2)
    ended(5)
    archiver = Archiver(store)
    assert [archiver.work() for _ in range(3)] == [True, True, False]
    assert list(JobRun.objects.order_by("id").values_list("job", flat=True)) == [f"j{n}" for n in range(5)]


def test_many_archivers_at_once_write_each_run_once(
    store: MessageStore, ended: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PORTION", 20)
    ended(200)

    def work() -> None:
        archiver = Archiver(store)
        for _ in range(12):
            archiver.work()
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while Archiver(store).work():
        pass
    assert (JobRun.objects.count(), left(store)) == (200, 0)


def test_what_is_none_of_ours_is_counted_told_once_and_gone(
    store: MessageStore, ended: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    ended(1)
    strange: list[dict[Any, Any]] = [{"x": "y"}, {"o": "a", "1-1": "nonsense"}, {"o": b"\xff", b"\xff": b"\xff"}]
    for fields in strange:
        store.client.xadd(store.key("runs"), fields)
    ended(1, first=1)
    archiver = Archiver(store)
    archiver.work()
    assert (JobRun.objects.count(), left(store), archiver.unreadable) == (2, 0, 3)
    assert [record.message for record in caplog.records if "runs.unreadable" in record.message] != []
    assert sum("runs.unreadable" in record.message for record in caplog.records) == 1


def test_an_entry_has_many_attempts_and_one_that_is_unreadable_takes_no_other_along(store: MessageStore) -> None:
    notes: dict[Any, Any] = {f"{number}-0": note_of(number) for number in range(RUNS_TOGETHER)} | {"7-0": "nonsense"}
    store.client.xadd(store.key("runs"), {"o": OWNER, **notes})
    archiver = Archiver(store)
    archiver.work()
    assert set(JobRun.objects.values_list("key", "job")) == {
        (f"{OWNER} {number}-0", f"j{number}") for number in range(RUNS_TOGETHER) if number != 7
    }
    assert (left(store), archiver.unreadable) == (0, 1)


def test_no_address_in_the_arguments_reaches_the_row_or_what_it_is_found_by(
    store: MessageStore, ended: Callable[..., None]
) -> None:
    ended(1, args="('anna.lee@example.com', 4711)", kwargs="{'to': 'bob@example.org', 'token': 'zq81'}")
    Archiver(store).work()
    row = JobRun.objects.values().get()
    assert (row["args"], row["kwargs"]) == ("('[e-mail]', 4711)", "{'to': '[e-mail]', 'token': '[secret]'}")
    assert row["terms"] == ["e-mail", "4711", "to", "token", "secret"]
    assert not [value for value in row.values() if re.search("anna|bob|example|zq81", str(value))]


def test_what_the_database_refuses_holds_nothing_else_up(
    store: MessageStore, ended: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    ended(3)
    as_json = archive._as_json
    monkeypatch.setattr(archive, "_as_json", lambda runs: as_json(runs).replace('"job": "j1"', '"job": "\\u0000"'))
    Archiver(store).work()
    assert set(JobRun.objects.values_list("job", flat=True)) == {"j0", "j2"}
    assert left(store) == 0


def test_whatever_the_facts_hold_they_become_a_row(store: MessageStore, ended: Callable[..., None]) -> None:
    strange = {
        "job": "a\0\ud83d'\"\\",
        "args": "\0{}",
        "kwargs": '["x", {}, NULL]',
        "tenant": "😀" * 600,
        "attempt": 2**40,
    }
    ended(1, head="failed transient - - 0 - - a task \t{}", times="- 17 -", **strange)
    Archiver(store).work()
    run = JobRun.objects.get()
    assert run.job == "a\N{REPLACEMENT CHARACTER}?'\"\\"
    assert (run.task, run.queue, run.tenant, run.attempt) == ("a task \t{}", "", "😀" * 500, None)
    assert (run.kwargs, run.terms) == ('["x", {}, NULL]', ["x", "null"])
    assert (run.wait_seconds, run.run_seconds) == (None, 0.000017)


def test_the_attempts_of_a_job_come_in_their_order(store: MessageStore, ended: Callable[..., None]) -> None:
    for number, (event, at) in enumerate([("succeeded", 300.0), ("lost", 100.0), ("retried", 200.0)]):
        ended(1, first=number, head=f"{event} - email - - - - send_mail", times="- - -", job="j", ended_at=at)
    ended(1, first=9)
    Archiver(store).work()
    assert [run.event for run in attempts("j")] == ["lost", "retried", "succeeded"]


def test_the_relay_archives(store: MessageStore, ended: Callable[..., None]) -> None:
    ended(1)
    for chore in chores():
        chore()
    assert JobRun.objects.get().job == "j0"


def test_a_run_that_is_written_stays_as_it_is(store: MessageStore, ended: Callable[..., None]) -> None:
    ended(1)
    Archiver(store).work()
    run = JobRun.objects.get()
    with pytest.raises(TypeError, match="append-only"):
        run.save()
    with pytest.raises(TypeError, match="append-only"):
        run.delete()
