"""`manage.py jobs idempotency` and `release-key`."""

import json
import uuid
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command

from apps.core.actions import Actor, perform
from apps.core.context import JobContext
from apps.core.idempotency import Claimed, Ended, records
from apps.core.models import OperatorAction

from . import jobs

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", *arguments, stdout=out)
    return out.getvalue().strip()


@pytest.fixture
def held() -> Iterator[Callable[[str], Claimed]]:
    keys = []

    def claim(key: str) -> Claimed:
        keys.append(key)
        claimed = records().claim(key, job="job-1")
        assert isinstance(claimed, Claimed)
        return claimed

    yield claim
    for key in keys:
        records().release(key)


@pytest.fixture
def key() -> str:
    return f"test.once:global:key={uuid.uuid4().hex}"


def test_an_unknown_key_is_absent(key: str) -> None:
    assert json.loads(run("idempotency", key, "--format=json")) == {"key": key, "state": "absent"}


def test_a_held_key_shows_its_holder_since_when_and_whether_it_lives(
    key: str, held: Callable[[str], Claimed]
) -> None:
    claim = held(key)
    facts = json.loads(run("idempotency", key, "--format=json"))
    assert facts["state"] == "running"
    assert facts["alive"] is True
    assert facts["job"] == "job-1"
    assert facts["fence"] == claim.fence
    assert facts["holder"]
    assert facts["since"].endswith("+00:00")
    assert facts["seconds_left"] > 0


def test_a_finished_key_shows_what_it_answers_and_for_how_long(key: str, held: Callable[[str], Claimed]) -> None:
    records().succeed(held(key), {"n": 1}, ttl=60)
    facts = json.loads(run("idempotency", key, "--format=json"))
    assert facts["state"] == "succeeded"
    assert json.loads(facts["result"]) == {"value": {"n": 1}}
    assert 50 < facts["seconds_left"] <= 60
    assert "holder" not in facts


def test_a_key_may_be_named_by_its_task_and_arguments(held: Callable[[str], Claimed]) -> None:
    value = uuid.uuid4().hex
    key = jobs.once.key_for((value,), {}, JobContext())
    held(key)
    for arguments in (json.dumps([value]), json.dumps({"value": value}), json.dumps(value)):
        assert f"key          {key}" in run("idempotency", "test.once", arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["test.onec", "[1]"], "no idempotent task 'test.onec'; did you mean 'test.once'"),
        (["test.once", "{1"], "ARGS is not JSON"),
        (["test.once", "[1, 2, 3]"], "does not take these arguments"),
        (["test.once_per_tenant"], "has none"),
        (["test.once:global:once", "[1]"], "is a key, which takes no arguments"),
    ],
    ids=repr,
)
def test_what_names_no_key_is_refused_with_the_fix(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run("idempotency", *arguments)


def test_a_released_key_can_be_claimed_again_and_its_holder_cannot_store(
    key: str, held: Callable[[str], Claimed]
) -> None:
    claim = held(key)
    assert run("release-key", key, "--reason", "stuck since noon") == f"Released {key}."
    assert records().succeed(claim, 1, ttl=60) is Ended.GONE
    assert held(key).fence > claim.fence
    row = OperatorAction.objects.get()
    assert row.actor.startswith("cli:")
    assert (row.action, row.target, row.reason) == ("release-key", key, "stuck since noon")
    assert (row.expected, row.affected, row.result) == (1, 1, "done")


def test_releasing_what_nobody_holds_says_so(key: str) -> None:
    assert "Nobody held" in run("release-key", key, "--reason", "check")
    assert OperatorAction.objects.get().affected == 0


def test_a_reason_is_required(key: str) -> None:
    with pytest.raises(CommandError, match="--reason"):
        run("release-key", key)
    with pytest.raises(CommandError, match="Say why"):
        run("release-key", key, "--reason", "  ")
    assert not OperatorAction.objects.exists()


def test_a_named_user_needs_the_permission(key: str, held: Callable[[str], Claimed]) -> None:
    held(key)
    user = User.objects.create_user("olga")
    with pytest.raises(CommandError, match="olga may not release an idempotency key"):
        run("release-key", key, "--reason", "stuck", "--as", "olga")
    assert records().look_up(key) is not None
    user.user_permissions.add(Permission.objects.get(codename="release_key"))
    run("release-key", key, "--reason", "stuck", "--as", "olga")
    assert OperatorAction.objects.get().actor == "olga"


def test_an_unknown_or_inactive_user_is_refused(key: str) -> None:
    User.objects.create_user("gone", is_active=False)
    for name in ("nobody", "gone"):
        with pytest.raises(CommandError, match=f"no active user '{name}'"):
            run("release-key", key, "--reason", "stuck", "--as", name)


def actor() -> Actor:
    return Actor.on_command_line()


def test_the_audit_row_is_there_before_the_work_and_tells_of_its_failure() -> None:
    seen: list[str] = []

    def work() -> int:
        seen.append(OperatorAction.objects.get().result)
        raise RuntimeError("mail to ann@example.com failed")

    with pytest.raises(RuntimeError):
        perform("release-key", work, actor=actor(), target="k", reason="why")
    assert seen == ["started"]
    row = OperatorAction.objects.get()
    assert (row.result, row.detail) == ("failed", "RuntimeError: mail to [e-mail] failed")


def test_the_same_request_acts_once() -> None:
    runs: list[Any] = []
    request = uuid.uuid4()
    for _ in range(2):
        row = perform(
            "release-key",
            lambda: runs.append(1) or 1,  # type: ignore[func-returns-value]
            actor=actor(),
            target="k",
            reason="why",
            request_id=request,
        )
        assert row.affected == 1
    assert len(runs) == 1


def test_the_audit_cannot_be_changed_or_deleted() -> None:
    row = perform("release-key", lambda: 1, actor=actor(), target="k", reason="why")
    row.reason = "another"
    with pytest.raises(TypeError, match="append-only"):
        row.save()
    with pytest.raises(TypeError, match="append-only"):
        row.delete()


def test_permission_is_checked_before_anything_is_written() -> None:
    with pytest.raises(PermissionDenied):
        perform("release-key", lambda: 1, actor=Actor.of(User.objects.create_user("x")), target="k", reason="why")
    assert not OperatorAction.objects.exists()
