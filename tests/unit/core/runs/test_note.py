"""Entries of the stream, as the scripts write them and as nobody should."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.core.runs.note import UnreadableNoteError, read

AT = datetime(2026, 11, 23, 12, 0, 0, 500_000, tzinfo=UTC)
ENTRY_ID = f"{int(AT.timestamp() * 1000)}-3".encode()
LINE = "succeeded - email 1200000 35000 claimed 300 send mail"


def entry(line: str = LINE, **facts: Any) -> dict[bytes, bytes]:
    return {b"k": b"host:1:abc 0-17", b"n": f"{line}\n{json.dumps(facts)}".encode()}


def test_all_that_is_noted_is_in_the_row() -> None:
    run = read(
        ENTRY_ID,
        entry(
            "failed transient email 1200000 35000 claimed 300 send mail",
            job="j",
            attempt=2,
            ready_at=AT.timestamp() - 2,
            started_at=AT.timestamp() - 1,
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
        ),
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
    assert run.terms == ["4711", "anna", "site", "3"]
    assert (run.idempotency_key, run.tenant, run.entry, run.error_text) == ("k", "7", "e", "no answer")


def test_what_is_not_known_is_not_zero() -> None:
    run = read(ENTRY_ID, entry("lost - - - - - - -", job="j"))
    assert (run.event, run.reason, run.queue, run.task, run.job) == ("lost", "", "", "", "j")
    assert (run.wait_seconds, run.run_seconds, run.attempt, run.pid, run.started_at) == (None,) * 5
    assert run.ended_at == AT


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {b"k": b"a"},
        {b"k": b"a", b"n": b""},
        {b"k": b"a", b"n": b"succeeded - email"},
        {b"k": b"", b"n": LINE.encode()},
        {b"k": b"a" * 501, b"n": LINE.encode()},
        {b"k": b"a\0", b"n": LINE.encode()},
        {b"k": b"a", b"n": LINE.replace("succeeded", "nonsense").encode()},
        {b"k": b"a", b"n": LINE.encode() + b"\n[1]"},
        {b"k": b"a", b"n": LINE.encode() + b"\n{"},
        {b"k": b"a", b"n": LINE.encode() + b"\n" + b"[" * 100_000},
    ],
)
def test_what_is_none_of_ours_is_told_apart(fields: dict[bytes, bytes]) -> None:
    with pytest.raises(UnreadableNoteError):
        read(ENTRY_ID, fields)


def test_a_fact_that_is_wrong_is_unknown_and_takes_no_other_along() -> None:
    run = read(
        ENTRY_ID,
        entry(
            "succeeded - email -5 x - - t",
            job=17,
            attempt=-1,
            pid=10**30,
            ready_at="soon",
            started_at=True,
            ended_at=1e300,
            error_text="a\0b\ud83d",
            tenant=["x"],
            args="x" * 10_000,
            worker="w" * 1000,
        ),
    )
    assert (run.job, run.attempt, run.pid, run.ready_at, run.started_at, run.tenant) == (
        "",
        None,
        None,
        None,
        None,
        "",
    )
    assert (run.ended_at, run.wait_seconds, run.run_seconds) == (AT, 0.0, None)
    assert run.error_text == "a\N{REPLACEMENT CHARACTER}b?"
    assert (len(run.args), len(run.worker)) == (2000, 500)
