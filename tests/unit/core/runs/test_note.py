"""Entries of the stream, as the scripts write them and as nobody should."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from apps.core.runs.models import JobRun
from apps.core.runs.note import LONGEST_ARGUMENTS, UnreadableNoteError, read, runs_of

AT = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)
ENTRY_ID = f"{int(AT.timestamp() * 1000)}-3".encode()
HEAD = "succeeded - email 5 0 claimed 0 send mail"
TIMES = "1200000 35000 300"
NOTE = f"{HEAD}\n{TIMES}\n{{}}".encode()
OWNER, LEASE = b"host:1:abc", b"0-17"


def read_note(head: str = HEAD, times: str = TIMES, **facts: Any) -> JobRun:
    return read(ENTRY_ID, OWNER, LEASE, f"{head}\n{times}\n{json.dumps(facts)}".encode())


def test_all_that_is_noted_is_in_the_row() -> None:
    run = read_note(
        "failed transient email 5 0 claimed 0 send mail",
        job="j",
        attempt=2,
        ended_at=AT.timestamp(),
        worker="email@host",
        pid=17,
        error="TimeoutError",
        error_text="no answer",
        fingerprint="f",
        args="(4711, 'Anna')",
        kwargs="{'site': 3}",
        tenant="7",
        user="8",
        correlation="c",
        entry="e",
        firing="2026-11-23T12:00:00+00:00",
        key="k",
        parent="p",
        root="r",
        duplicate_of="d",
    )
    assert (run.key, run.event, run.reason, run.queue, run.task) == (
        "host:1:abc 0-17",
        "failed",
        "transient",
        "email",
        "send mail",
    )
    assert (run.wait_seconds, run.run_seconds, run.attempt, run.pid) == (1.2, 0.035, 2, 17)
    assert run.ended_at == AT
    assert run.started_at == AT - timedelta(milliseconds=35)  # by what was measured
    assert run.ready_at == run.started_at - timedelta(seconds=1.2)
    assert run.terms == ["4711", "anna", "site", "3"]
    assert (run.idempotency_key, run.tenant, run.entry, run.error_text) == ("k", "7", "e", "no answer")


def test_what_is_not_known_is_not_zero() -> None:
    run = read_note("lost - - - - - - -", "- - -", job="j")
    assert (run.event, run.reason, run.queue, run.task, run.job) == ("lost", "", "", "", "j")
    assert (run.wait_seconds, run.run_seconds, run.attempt, run.pid, run.started_at) == (None,) * 5
    assert run.ended_at == AT


def test_a_job_that_expired_has_waited_and_never_started() -> None:
    run = read_note("expired - email 5 - - - send mail", "1200000 - -", worker="email@host")
    assert (run.ready_at, run.started_at) == (AT - timedelta(seconds=1.2), None)


def test_what_goes_without_saying_is_not_noted() -> None:
    run = read_note(worker="email@host")
    assert (run.attempt, run.args, run.kwargs, run.root, run.terms) == (1, "", "", "", [])


@pytest.mark.parametrize(
    ("owner", "lease", "note"),
    [
        (OWNER, LEASE, b""),
        (OWNER, LEASE, b"succeeded - email"),
        (OWNER, LEASE, NOTE.replace(b" 0 send mail", b"")),
        (OWNER, LEASE, NOTE.replace(b"1200000 ", b"")),
        (OWNER, LEASE, NOTE.replace(b"succeeded", b"nonsense")),
        (OWNER, LEASE, NOTE.replace(b"{}", b"[1]")),
        (OWNER, LEASE, NOTE.replace(b"{}", b"{")),
        (OWNER, LEASE, NOTE.replace(b"{}", b"[" * 100_000)),
        (b"a" * 501, LEASE, NOTE),
        (b"a\0", LEASE, NOTE),
    ],
)
def test_what_is_none_of_ours_is_told_apart(owner: bytes, lease: bytes, note: bytes) -> None:
    with pytest.raises(UnreadableNoteError):
        read(ENTRY_ID, owner, lease, note)


@pytest.mark.parametrize("fields", [[], [b"o"], [b"k", b"a", b"n", NOTE], [b"o", OWNER, LEASE], [b"", b"", b""]])
def test_an_entry_that_is_none_of_ours_counts_once(fields: list[bytes]) -> None:
    (found,) = runs_of(ENTRY_ID, fields)
    assert isinstance(found, UnreadableNoteError)


def test_each_attempt_of_an_entry_is_read_for_itself() -> None:
    first, second, third = runs_of(ENTRY_ID, [b"o", OWNER, b"0-1", NOTE, b"0-2", b"nonsense", b"0-3", NOTE])
    assert isinstance(second, UnreadableNoteError)
    assert [run.key for run in (first, third) if isinstance(run, JobRun)] == ["host:1:abc 0-1", "host:1:abc 0-3"]


@pytest.mark.parametrize("cut", [True, False])
def test_no_address_is_left_in_the_arguments_wherever_they_are_cut(cut: bool) -> None:
    for before in range(LONGEST_ARGUMENTS - 20, LONGEST_ARGUMENTS):
        args = f"('{'x' * (before - 5)}', 'anna@example.com', 'next')"
        run = read_note(args=args[:LONGEST_ARGUMENTS] if cut else args)
        assert run.args.startswith("('xxx")
        assert len(run.args) <= LONGEST_ARGUMENTS
        assert "anna" not in run.args + " ".join(run.terms)


def test_a_fact_that_is_wrong_is_unknown_and_takes_no_other_along() -> None:
    run = read_note(
        "succeeded - email 0 ? - - t",
        "-5 x -",
        job=17,
        attempt=-1,
        pid=10**30,
        ended_at=1e300,
        error_text="a\0b\ud83d",
        tenant=["x"],
        args="x " * 10_000,
        worker="w" * 1000,
    )
    assert (run.job, run.attempt, run.pid, run.started_at, run.tenant) == ("", None, None, None, "")
    assert (run.ended_at, run.wait_seconds, run.run_seconds) == (AT, 0.0, None)
    assert run.error_text == "a\N{REPLACEMENT CHARACTER}b?"
    assert (len(run.args), len(run.worker)) == (500, 500)
