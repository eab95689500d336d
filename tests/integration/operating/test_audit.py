"""The audit: a row before the work, once for each request, and never changed."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from apps.core.actions import Actor, Done, perform
from apps.core.actions.service import LONGEST_TARGET
from apps.core.models import OperatorAction

from .acts import audit, run

pytestmark = pytest.mark.django_db


def acted(**changes: Any) -> OperatorAction:
    facts = {"actor": Actor(name="ann"), "target": "k", "reason": "why", **changes}
    return perform(facts.pop("name", "release-key"), facts.pop("work", lambda: 1), **facts)


def test_what_an_action_has_come_to_is_kept_with_its_row() -> None:
    row = acted(work=lambda: Done(affected=7, detail="7 of them."), prepare=lambda: 8)
    row.refresh_from_db()
    assert (row.expected, row.affected, row.detail, row.result) == (8, 7, "7 of them.", "done")


def test_what_is_refused_beforehand_leaves_no_row() -> None:
    def refuse() -> int:
        raise LookupError("no such key")

    with pytest.raises(LookupError):
        acted(prepare=refuse)
    assert not OperatorAction.objects.exists()


def test_a_request_that_is_made_again_is_neither_prepared_nor_done_again() -> None:
    request, done = uuid.uuid4(), []
    for _ in range(2):
        row = acted(request_id=request, prepare=lambda: done.append("looked"), work=lambda: done.append("did") or 1)
        assert row.request_id == request
    assert done == ["looked", "did"]


@pytest.mark.parametrize(
    "change", [{"target": "other"}, {"actor": Actor(name="eve")}, {"name": "pause-queue"}], ids=str
)
def test_a_request_id_is_that_of_one_request(change: dict[str, Any]) -> None:
    request = uuid.uuid4()
    acted(request_id=request)
    with pytest.raises(ValidationError, match="has done something else before"):
        acted(request_id=request, **change)
    assert OperatorAction.objects.count() == 1


def test_a_request_that_failed_is_not_tried_again() -> None:
    def fail() -> int:
        raise OSError("password=hunter2-s3cret of ann@example.com")

    request = uuid.uuid4()
    with pytest.raises(OSError, match="password"):
        acted(request_id=request, work=fail)
    row = acted(request_id=request)
    assert (row.result, row.affected) == ("failed", None)
    assert "hunter2" not in row.detail
    assert "example.com" not in row.detail


def test_a_long_target_is_cut_and_a_reason_is_kept_as_written() -> None:
    reason = "because of ann@example.com, <b>7</b> … 漢\n" * 20
    row = acted(target="job-\0" * 1000, reason=reason)
    row.refresh_from_db()
    assert row.reason == reason
    assert len(row.target) == LONGEST_TARGET + 1
    assert "\0" not in row.target


def test_no_class_changes_or_deletes_a_row() -> None:
    row = acted()
    for change in (
        lambda: OperatorAction.objects.update(reason="another"),
        lambda: OperatorAction.objects.filter(pk=row.pk).delete(),
        lambda: OperatorAction.objects.bulk_update([row], ["reason"]),
        lambda: OperatorAction.objects.update_or_create(pk=row.pk, defaults={"reason": "another"}),
        row.delete,
        row.save,
    ):
        with pytest.raises(TypeError, match="append-only"):
            change()
    row.end(OperatorAction.Result.FAILED)  # it has ended
    row.refresh_from_db()
    assert (row.reason, row.result) == ("why", "done")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE bgjobs_operatoraction SET reason = 'another'",
        "UPDATE bgjobs_operatoraction SET result = 'started'",
        "DELETE FROM bgjobs_operatoraction",
    ],
)
def test_the_database_changes_and_deletes_none_either(statement: str) -> None:
    acted()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_row_of_an_action_under_way_may_only_be_told_how_it_ended() -> None:
    OperatorAction.objects.create(actor="ann", action="release-key", target="k", reason="why")
    for statement in ("UPDATE bgjobs_operatoraction SET actor = 'eve'", "DELETE FROM bgjobs_operatoraction"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    audit().end(OperatorAction.Result.DONE, affected=3)
    assert (audit().result, audit().affected) == ("done", 3)


# `jobs audit`


def listed(*arguments: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("audit", *arguments, "--format=json"))["actions"]
    return found


def test_the_audit_is_listed_the_latest_first_and_narrowed_down() -> None:
    assert run("audit") == "No action matches."
    first = acted(target="send_mail:global:1")
    second = acted(name="pause-queue", target="email", actor=Actor(name="eve"), reason="line\nline \x1b[2J")
    assert [one["target"] for one in listed()] == ["email", "send_mail:global:1"]
    for arguments, expected in (
        (["--actor=eve"], [second.pk]),
        (["--action=release-key"], [first.pk]),
        (["--target=global"], [first.pk]),
        (["--result=failed"], []),
        (["--since=2h"], [second.pk, first.pk]),
        ([f"--since={(timezone.now() + timedelta(hours=1)).isoformat()}"], []),
        ([f"--before={second.pk}"], [first.pk]),
        (["--limit=1"], [second.pk]),
    ):
        assert [one["id"] for one in listed(*arguments)] == expected, arguments
    heading, line, _ = run("audit").splitlines()
    assert heading.split()[:3] == ["id", "affected", "expected"]
    assert "line line \N{REPLACEMENT CHARACTER}[2J" in line


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'dance'"):
        run("audit", "--action=dance")
