"""The page of one job tells its whole life, why it does not run, and what can be done about it."""

import json
import time
import uuid
from html import escape
from typing import Any

import pytest
import redis
from celery import current_app
from django.test import Client

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore
from apps.core.broker.whereabouts import LOOKED_AT
from apps.core.dead_letters.models import DeadLetter
from apps.core.idempotency import records
from apps.core.outbox.models import OutboxMessage
from apps.core.schedules.models import Firing
from apps.core.story import telling

from ..broker.trial import text_of
from ..dead_letters import jobs as jobs_with_secrets  # noqa: F401 - their tasks are known here
from ..dead_letters.letters import saved as saved_letter
from .history import saved
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

QUEUE = "high_priority"
OWNER = "test-monitoring-owner"
EVIL = '"><script>alert(1)</script>'


@pytest.fixture
def store(server: redis.Redis) -> MessageStore:
    return configured_store()


@pytest.fixture
def viewer() -> Client:
    return visitor()


def shown(client: Client, job: str, status: int = 200) -> str:
    response = client.get(address("run", job))
    assert response.status_code == status
    return response.content.decode()


def published(store: MessageStore, **headers: Any) -> str:
    text = text_of("work", 7, queue=QUEUE, **headers)
    store.publish(QUEUE, QUEUE, text)
    return str(json.loads(text)["headers"]["id"])


def nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: float) -> MessageStore:
        raise redis.ConnectionError("refused")

    monkeypatch.setattr(telling, "_hurried", refuse)


def test_a_job_of_which_nothing_is_known_is_no_page_that_says_what_that_may_mean(
    viewer: Client, store: MessageStore
) -> None:
    html = shown(viewer, "never-was", 404)
    assert "Nothing is known of a job <code>never-was</code>" in html
    assert "rolled back" in html
    assert shown(viewer, "x" * 300, 404)
    assert escape(EVIL) in shown(viewer, EVIL, 404)


@pytest.mark.parametrize("job", ["a%00b", "a%07b", "a%E2%80%AEb"])
def test_an_id_that_cannot_be_one_is_not_looked_for(viewer: Client, job: str) -> None:
    assert viewer.get(address("run", "JOB").replace("JOB", job)).status_code == 404


def test_while_the_broker_is_down_unknown_is_not_absent(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody_answers(monkeypatch)
    html = shown(viewer, "maybe-there", 503)
    assert "Unknown: the broker (ConnectionError)" in html
    job = saved("retried").job
    began = time.monotonic()
    html = shown(viewer, job)
    assert "Unknown: the broker (ConnectionError)." in html
    assert time.monotonic() - began < 2


def test_a_waiting_job_says_behind_how_many_it_is_and_that_nobody_serves_its_queue(
    viewer: Client, store: MessageStore
) -> None:
    jobs = [published(store) for _ in range(4)]
    html = shown(viewer, jobs[2])
    assert f"It waits in {QUEUE}, behind 2 others." in html
    assert f"No living worker serves {QUEUE}: start one." in html
    store.pause(QUEUE, seconds=0, why=f"ann: {EVIL}")
    html = shown(viewer, jobs[2])
    assert f"which is paused (ann: {escape(EVIL)})" in html
    assert f"actions/resume/?queue={QUEUE}" not in html
    assert f"actions/resume/?queue={QUEUE}" in shown(visitor("Jobs operator"), jobs[2])


def test_a_page_looks_at_a_part_of_a_long_queue_and_says_so(
    viewer: Client, store: MessageStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert telling.QUICK.messages < LOOKED_AT
    monkeypatch.setattr("apps.monitoring.views.run.QUICK", telling.Patience(messages=500, server_answers_within=0.5))
    jobs = [published(store) for _ in range(600)]
    saved("retried", job=jobs[550])
    assert "Only the first 500 messages of each list were looked at" in shown(viewer, jobs[550])
    assert f"It waits in {QUEUE}, behind 300 others." in shown(viewer, jobs[300])


def test_a_job_in_the_hands_of_a_silent_worker_says_so(viewer: Client, store: MessageStore) -> None:
    job = published(store)
    store.pulse([OWNER], queues=[QUEUE], all_queues=[QUEUE])
    store.claim(OWNER, call=time.time_ns() // 1000, most=1, queues=[QUEUE])
    assert f"It is in the hands of {OWNER}, which is alive" in shown(viewer, job)
    store.client.delete(store.key("owner", OWNER))
    assert "which is silent" in shown(viewer, job)
    store.client.delete(store.key("leases", OWNER))


def test_a_running_job_names_its_worker_and_a_fused_task_whoever_lit_the_fuse(
    viewer: Client, store: MessageStore
) -> None:
    running, waits = published(store), published(store)
    store.pulse([OWNER], queues=[QUEUE], all_queues=[QUEUE])
    store.claim(OWNER, call=time.time_ns() // 1000, most=1, queues=[QUEUE])
    since = time.time() - 90
    card = {
        "node": "high@host",
        "host": "host",
        "pid": 77,
        "pool": "prefork",
        "queues": [QUEUE],
        "slots": 8,
        "busy": 1,
        "rss_bytes": None,
        "version": None,
        "started_at": since,
        "at": since,
        "jobs": [{"job": running, "task": "test.trial.work", "queue": QUEUE, "since": since}],
    }
    store.client.set(store.key("card", OWNER), json.dumps(card), ex=60)
    assert "It runs on high@host (pid 77) since" in shown(viewer, running)
    assert "No living worker serves" not in shown(viewer, waits)
    store.fuse("test.trial.work", seconds=600, why="ann: it spams")
    assert "(ann: it spams): a worker that takes the job parks it." in shown(viewer, waits)
    assert "actions/unfuse/?task=test.trial.work" in shown(visitor("Jobs operator"), waits)
    store.unfuse("test.trial.work")
    store.client.delete(store.key("leases", OWNER), store.key("card", OWNER))


def test_a_dead_letter_is_told_with_arguments_traceback_and_what_can_be_done(
    viewer: Client, store: MessageStore
) -> None:
    letter = saved_letter(
        "send_ticket_email",
        EVIL,
        error_text=EVIL,
        traceback=f"Traceback {EVIL}",
        idempotency_key="send_ticket_email:global:once",
        headers={"bgjobs_key": "send_ticket_email:global:once"},
    )
    saved("failed", job=letter.job, error="ValueError", error_text=EVIL, worker=EVIL, reason="permanent", attempt=3)
    child = saved("failed", parent=letter.job)
    html = shown(viewer, letter.job)
    assert "It was given up: permanent (ValueError)." in html
    assert "Attempt 3 failed for good" in html
    assert EVIL not in html
    assert f"Traceback {escape(EVIL)}" in html
    assert child.job in html
    assert "actions/" not in html
    html = shown(visitor("Jobs operator"), letter.job)
    for action in ("retry", "edit_retry", "discard"):
        assert f"actions/{action}/?letter={letter.pk}" in html
    assert "actions/reveal" not in html
    assert f"actions/reveal/?job={letter.job}" in shown(visitor("Jobs admin"), letter.job)


def test_arguments_that_a_task_hides_and_those_of_an_unknown_task_are_masked(
    viewer: Client, store: MessageStore
) -> None:
    letter = saved_letter("no.such.task", "4711-secret")
    html = shown(viewer, letter.job)
    assert "[hidden]" in html
    assert "4711-secret" not in html


def test_a_sensitive_argument_is_nowhere_on_the_page_not_even_in_what_an_error_said(
    viewer: Client, store: MessageStore
) -> None:
    secret = "hunter2-s3cret"
    letter = saved_letter("test.dl.secret", "ann", secret, error_text=f"no {secret}", traceback=f"Error: no {secret}")
    saved("failed", job=letter.job, error="ValueError", error_text=f"no {secret}")
    html = shown(viewer, letter.job)
    assert "&#x27;ann&#x27;" in html
    assert "no [hidden]" in html
    assert secret not in html


def test_a_key_says_who_has_it_and_offers_to_release_it(viewer: Client, store: MessageStore) -> None:
    letter = saved_letter("send_ticket_email", headers={"bgjobs_key": "t:global:once"})
    assert "Nothing is stored under it" in shown(viewer, letter.job)
    records().claim("t:global:once", job=letter.job)
    html = shown(visitor("Jobs operator"), letter.job)
    assert "(this job)" in html
    assert "alive" in html
    assert "actions/release_key/?key=t%3Aglobal%3Aonce" in html
    records().release("t:global:once")


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")
def test_progress_is_shown_as_far_as_it_makes_sense(viewer: Client, store: MessageStore) -> None:
    job = published(store)
    for told, expected in (
        ({"done": 3, "total": 4, "note": EVIL * 50}, "3 of 4"),
        ({"done": 0, "total": 0}, "0 of 0"),
        ({"done": 5, "total": 4}, None),
        ({"done": "all"}, None),
        ([1], None),
    ):
        current_app.backend.store_result(job, told, "PROGRESS")
        html = shown(viewer, job)
        assert ("<progress" in html) is (expected is not None), told
        assert expected is None or expected in html
        assert EVIL not in html
        assert len(html) < 40_000


def test_a_life_is_told_from_its_firing_on(viewer: Client, store: MessageStore) -> None:
    run = saved(entry="nightly", parent="p-1", root="r-1", correlation="c-1", tenant="7", user="9")
    Firing.objects.create(entry="nightly", due=run.ready_at, job=run.job, outcome="succeeded")
    html = shown(viewer, run.job)
    for expected in (
        "It is done: attempt 1 succeeded at",
        "Entry nightly of the timetable was due",
        address("run", "p-1"),
        address("run", "r-1"),
        "c-1",
    ):
        assert expected in html


def test_a_job_in_the_outbox_can_be_revoked_and_one_that_is_done_cannot(viewer: Client, store: MessageStore) -> None:
    job = str(uuid.uuid4())
    text = text_of("work", 7, id=job)
    OutboxMessage.objects.create(
        job=job, task="work", queue=QUEUE, list=QUEUE, message=text, tag=job, due=0, durable=False
    )
    operator = visitor("Jobs operator")
    html = shown(operator, job)
    assert "was not published yet" in html
    assert f"actions/revoke/?job={job}" in html
    assert "actions/revoke" not in shown(operator, saved().job)


def test_any_text_may_be_a_jobs_id(viewer: Client, store: MessageStore) -> None:
    for job in ("report/2026/11", "a b", "ünï-code", "100%"):
        assert "It is done" in shown(viewer, saved(job=job).job)


def test_a_letter_that_was_discarded_offers_nothing_more(viewer: Client, store: MessageStore) -> None:
    letter = saved_letter(state=DeadLetter.State.DISCARDED)
    html = shown(visitor("Jobs operator"), letter.job)
    assert "its dead letter is discarded" in html
    assert "actions/retry" not in html
