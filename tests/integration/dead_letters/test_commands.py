"""`manage.py jobs dead-letters | retry | discard | why`"""

import json
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError
from django.utils import timezone

from apps.core.broker.store import MessageStore
from apps.core.circuit_breaker import Admitted, Breaker, breakers
from apps.core.dead_letters.models import DeadLetter
from apps.core.idempotency import IdempotencyStore, records
from apps.core.models import OperatorAction
from apps.core.outbox import rows
from apps.core.redis_client import connect
from apps.core.upkeep import cleanup_dead_letters

from ..broker.private_server import free_port
from ..broker.trial import text_of
from . import jobs
from .conftest import QUEUE, facts, run
from .letters import made, saved
from .test_mover import OWNER, set_aside

pytestmark = pytest.mark.django_db(transaction=True)


def audit() -> OperatorAction:
    return OperatorAction.objects.get()


# dead-letters


def test_open_letters_are_listed_the_latest_first_and_narrowed_down() -> None:
    assert run("dead-letters") == "No dead letter matches."
    old = saved("test.dl.work", last_at=timezone.now() - timedelta(hours=3))
    new = saved("test.dl.other", reason="poison", error_text="its process\ndied")
    saved("test.dl.work", state="discarded")
    assert [one["id"] for one in facts("dead-letters")["dead_letters"]] == [new.pk, old.pk]
    assert facts("dead-letters", "--task=test.dl.work")["count"] == 1
    assert facts("dead-letters", "--reason=poison")["count"] == 1
    assert facts("dead-letters", "--since=2h")["count"] == 1
    assert facts("dead-letters", "--since=2020-01-01")["count"] == 2
    assert facts("dead-letters", "--state=any", "--limit=2")["count"] == 3
    heading, first, *_, last = run("dead-letters").splitlines()
    assert heading.split()[:2] == ["id", "reason"]
    assert first.startswith(f"{new.pk}")
    assert "ValueError: its process died" in first
    assert last == "2 of 2"


def test_groups_count_the_letters_of_each_trouble() -> None:
    for state in ("open", "open", "replayed"):
        saved("test.dl.work", state=state, fingerprint="a" * 16)
    saved("test.dl.other", fingerprint="b" * 16)
    groups = facts("dead-letters", "--group", "--state=any")["groups"]
    assert {(one["fingerprint"], one["open"], one["count"]) for one in groups} == {("a" * 16, 2, 3), ("b" * 16, 1, 1)}
    assert "aaaaaaaaaaaaaaaa     2   2" in run("dead-letters", "--group")


def test_the_status_says_how_many_are_open_and_what_to_do(broker: redis.Redis) -> None:
    for state in ("open", "open", "replayed"):
        saved("test.dl.work", state=state, reason="permanent")
    found = facts("status")["failures"]
    assert (found["dead_letters"], found["by_reason"], found["open_fingerprints"]) == (2, {"permanent": 2}, 1)
    assert "2 jobs were given up: 2 permanent" in run("status")


def test_a_letter_is_shown_in_full_by_its_id_or_its_jobs() -> None:
    letter = saved("test.dl.work", 7, traceback="Traceback: [bold]here[/bold]", history=["1.0 process_died x"])
    for name in (str(letter.pk), letter.job):
        text = run("dead-letters", name)
        assert "Traceback: [bold]here[/bold]" in text
        assert "number         7" in text
        assert "process_died" in text


# retry and discard


def test_a_retry_is_in_the_audit_with_what_was_expected_and_affected() -> None:
    letters = [saved("test.dl.work", number) for number in range(3)]
    saved("test.dl.other")
    assert run("retry", "--task=test.dl.work", "--dry-run") == "3 would be replayed."
    assert not OperatorAction.objects.exists()
    text = run("retry", "--task=test.dl.work", "--reason", "repaired", "--rate=2")
    assert text == "3 replayed, over 1.5s: the relay publishes them."
    row = audit()
    assert (row.action, row.target, row.reason) == ("replay-dead-letters", "task=test.dl.work", "repaired")
    assert (row.expected, row.affected, row.result) == (3, 3, "done")
    assert set(rows.table().values_list("job", flat=True)) == {letter.job for letter in letters}


def test_discarded_letters_stay_and_are_not_replayed_any_more() -> None:
    letter = saved("test.dl.work")
    assert run("discard", letter.job, "--dry-run") == "1 would be discarded."
    assert run("discard", letter.job, "--reason", "done by hand") == "1 discarded."
    letter.refresh_from_db()
    assert (letter.state, letter.closed_at is None) == ("discarded", False)
    assert (audit().action, audit().target, audit().affected) == ("discard-dead-letters", letter.job, 1)
    with pytest.raises(CommandError, match=f"No open dead letter is named {letter.pk}: it has been replayed"):
        run("retry", str(letter.pk), "--reason", "x")
    assert not rows.table().exists()


@pytest.mark.parametrize("action", ["retry", "discard"])
def test_who_names_nothing_no_reason_or_nobody_is_told_so(action: str) -> None:
    letter = saved("test.dl.work")
    with pytest.raises(CommandError, match="Say which: by ids"):
        run(action, "--reason", "x")
    with pytest.raises(CommandError, match="Say why"):
        run(action, letter.job)
    with pytest.raises(CommandError, match="no active user 'nobody'"):
        run(action, letter.job, "--reason", "x", "--as", "nobody")
    with pytest.raises(CommandError, match="No open dead letter is named 999999999"):
        run(action, letter.job, "999999999", "--reason", "x")
    assert DeadLetter.objects.get().state == "open"


@pytest.mark.parametrize(("action", "permission"), [("retry", "retry_task"), ("discard", "discard_task")])
def test_a_user_needs_the_permission(action: str, permission: str) -> None:
    letter = saved("test.dl.work")
    user = User.objects.create_user("ann", is_staff=True)
    other = "discard_task" if permission == "retry_task" else "retry_task"
    user.user_permissions.add(Permission.objects.get(codename=other))
    with pytest.raises(CommandError, match="ann may not"):
        run(action, letter.job, "--reason", "x", "--as", "ann")
    assert not OperatorAction.objects.exists()
    user.user_permissions.set([Permission.objects.get(codename=permission)])
    run(action, letter.job, "--reason", "x", "--as", "ann")
    assert audit().actor == "ann"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--args", "no JSON"], "not JSON"),
        (["--args", "17"], "as a list"),
        (["--args", '{"nonsense": 1}'], "does not take these arguments"),
        (["--rate", "0"], "no number of jobs a second"),
        (["--since", "yesterday"], "is no time"),
    ],
)
def test_wrong_options_say_how_to_write_them(arguments: list[str], message: str) -> None:
    letter = saved("test.dl.work", 1)
    with pytest.raises(CommandError, match=message):
        run("retry", letter.job, "--reason", "x", *arguments)


def test_new_arguments_are_those_of_one_job() -> None:
    letter = saved("test.dl.work", 1)
    saved("test.dl.work", 2)
    with pytest.raises(CommandError, match="New arguments are those of one job, and this names 2"):
        run("retry", "--task=test.dl.work", "--args", "[3]", "--reason", "x")
    assert "1 replayed" in run("retry", letter.job, "--args", '{"number": 3}', "--reason", "x")
    assert audit().target == f"{letter.job}, new arguments"


def test_who_may_not_release_keys_may_not_do_so_by_a_retry() -> None:
    letter = saved("test.dl.work")
    user = User.objects.create_user("ann", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="retry_task"))
    with pytest.raises(CommandError, match="ann may not release an idempotency key"):
        run("retry", letter.job, "--release-key", "--reason", "x", "--as", "ann")
    assert "1 replayed" in run("retry", letter.job, "--release-key", "--reason", "x")
    assert audit().target == f"{letter.job}, key released"


def test_what_cannot_be_read_can_only_be_discarded() -> None:
    letter = saved("", message=b"\xff garbage", job="", reason="undecodable")
    with pytest.raises(CommandError, match=rf"no jobs', and can only be discarded \({letter.pk}\)"):
        run("retry", str(letter.pk), "--reason", "x")
    assert "their messages are no jobs'" in run("retry", "--reason-is=undecodable", "--reason", "x")
    assert facts("dead-letters", str(letter.pk))["dead_letters"][0]["arguments"] is None
    assert "unreadable" in run("dead-letters", str(letter.pk))
    assert run("discard", str(letter.pk), "--reason", "x") == "1 discarded."


def test_a_server_that_is_down_is_named_and_nothing_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    letter = saved("test.dl.work", headers={"bgjobs_key": "k"})
    nobody = IdempotencyStore(connect(f"redis://127.0.0.1:{free_port()}/0"))
    monkeypatch.setattr("apps.core.dead_letters.replay.records", lambda: nobody)
    with pytest.raises(CommandError, match="cannot do this now: ConnectionError"):
        run("retry", letter.job, "--reason", "x")
    letter.refresh_from_db()
    assert (letter.state, rows.table().count(), audit().result) == ("open", 0, "failed")


# why


def verdict(job: str) -> str:
    return str(facts("why", job)["verdict"][0])


def test_nothing_is_known_of_a_job_that_never_was(broker: redis.Redis) -> None:
    found = facts("why", "never-was")
    assert found["known"] is False
    assert verdict("never-was").startswith("Nothing is known of this job")
    assert run("why", "never-was").startswith("Nothing is known of this job")


def test_a_waiting_job_is_told_how_many_are_before_it_and_that_its_queue_is_paused(
    store: MessageStore, broker: redis.Redis
) -> None:
    found = [jobs.work.delay(number).id for number in range(1200)]
    urgent = jobs.work.apply_async((1,), priority=0).id
    assert verdict(found[0]) == f"It waits in {QUEUE}, behind 0 others."
    assert verdict(found[1100]) == f"It waits in {QUEUE}, behind 1100 others."
    assert verdict(urgent) == f"It waits in {QUEUE}, behind 1200 others."
    store.pause(QUEUE, seconds=0, why="ann: the server moves")
    assert f"It waits in {QUEUE}, which is paused (ann: the server moves), behind 7 others." in run("why", found[7])
    store.resume(QUEUE)
    assert facts("why", found[7])["arguments"] == {"number": "7"}


def test_a_delayed_job_names_its_moment_and_a_revoked_one_says_so(store: MessageStore) -> None:
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    job = jobs.work.apply_async((1,), eta=later).id
    when = later.isoformat().replace("+00:00", "Z")
    assert verdict(job) == f"It is delayed in {QUEUE} until {when}: its time has not come."
    assert facts("why", job)["places"][0]["due"] == later.isoformat().replace("+00:00", "Z")
    store.revoke([job])
    assert "It was revoked" in run("why", job)
    assert facts("why", job)["revoked_at"]


def test_a_job_behind_an_open_breaker_names_the_service(store: MessageStore) -> None:
    job = jobs.work.apply_async((1,), countdown=600).id
    service = f"mqtt-{uuid.uuid4().hex}"
    admitted = breakers().admit(service, "call", lease=1)
    assert isinstance(admitted, Admitted)
    breakers().fail(service, admitted, Breaker(failures=1, open_for=300))
    breakers().park(service, job)
    assert verdict(job) == f"It is parked in {QUEUE}: {service} keeps failing and is not called now."
    assert facts("why", job)["parked_behind"] == service


def test_a_leased_job_names_its_owner_and_whether_that_lives(store: MessageStore) -> None:
    job = jobs.work.delay(1).id
    store.pulse([OWNER], queues=[QUEUE], all_queues=[QUEUE])
    store.claim(OWNER, call=time.time_ns() // 1000, most=1, queues=[QUEUE])
    assert verdict(job) == f"It is in the hands of {OWNER}, which is alive: it runs, or is about to."
    store.client.delete(f"bgjobs:owner:{OWNER}")
    assert "which is silent" in verdict(job)
    store.client.delete(f"bgjobs:leases:{OWNER}")


def test_a_job_that_was_given_up_is_followed_from_the_quarantine_to_its_replay(
    store: MessageStore, move: Callable[[], None]
) -> None:
    text = text_of("work", 7, bgjobs_key="test.dl.once:global:key=why").encode()
    job = json.loads(text)["headers"]["id"]
    set_aside(store, text, reason="poison")
    assert verdict(job) == "It has just been set aside (poison), and becomes a dead letter once a relay runs."
    move()
    letter = DeadLetter.objects.get()
    assert verdict(job).startswith(
        f"It was given up: poison. It will not run again by itself: `jobs retry {letter.pk}"
    )
    claim = records().claim("test.dl.once:global:key=why", job=job)
    assert facts("why", job)["key"]["state"] == "running"
    records().release(claim.key)
    run("discard", job, "--reason", "x")
    assert verdict(job) == "It was given up, and its dead letter is discarded."
    DeadLetter.objects.update(state="open")
    run("retry", job, "--reason", "x")
    assert verdict(job).startswith("It is in the outbox and was not published yet")
    assert f"letter     {letter.pk} replayed, poison" in run("why", job)


@pytest.mark.filterwarnings("ignore:Call to deprecated setex")
def test_a_stored_result_is_told(broker: redis.Redis) -> None:
    job = str(uuid.uuid4())
    current_app.backend.store_result(job, {"secret": 1}, "SUCCESS")
    assert verdict(job) == "Its stored result says SUCCESS."
    assert "secret" not in run("why", job)


def test_a_broker_that_is_down_leaves_the_rest_of_the_story(monkeypatch: pytest.MonkeyPatch) -> None:
    letter = saved("test.dl.work")
    nobody = MessageStore(connect(f"redis://127.0.0.1:{free_port()}/0"))
    monkeypatch.setattr("apps.core.story.telling.configured_store", lambda: nobody)
    found = facts("why", letter.job)
    assert found["places"] is None
    assert found["unknown"] == ["the broker (ConnectionError)"]
    assert found["verdict"][0].startswith("It was given up: permanent (ValueError).")
    monkeypatch.setattr("apps.core.story.telling.is_leased", lambda: False)
    assert "no leased:// one" in run("why", letter.job)


# retention


def test_letters_of_long_ago_are_removed_whatever_their_state(settings: Any) -> None:
    settings.BGJOBS = {**settings.BGJOBS, "dead_letters_kept_days": 30}
    now = timezone.now()
    old = [made("test.dl.work", last_at=now - timedelta(days=31), state=state) for state in ("open", "replayed")]
    DeadLetter.objects.bulk_create([*old, *(made("x", last_at=now - timedelta(days=40)) for _ in range(2100))])
    kept = saved("test.dl.work", last_at=now - timedelta(days=29))
    assert cleanup_dead_letters() == 2102
    assert [letter.pk for letter in DeadLetter.objects.all()] == [kept.pk]


def test_workers_know_the_task_that_removes_them() -> None:
    task: Any = current_app.tasks["cleanup_dead_letters"]
    assert task.queue_name == "maintenance"
