"""What the note of an ended attempt says of its job."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from apps.core.broker import run_notes
from apps.core.broker.failure import Failure
from apps.core.context import ENTRY_HEADER, HEADERS, KEY_HEADER, READY_AT_HEADER
from apps.core.runs.models import JobRun
from apps.core.runs.note import read

JOB = "3f2a"
SAME_AS_JOB = (*HEADERS.values(), ENTRY_HEADER, KEY_HEADER, "parent_id")


def note_of(headers: dict[str, Any], *, told: dict[str, Any] | None = None, failure: Failure | None = None) -> str:
    request = SimpleNamespace(
        id=JOB,
        name="send mail",
        message=SimpleNamespace(headers=headers, entry=SimpleNamespace(queue="email")),
        time_start=2000.0,
        hostname="email@host",
        worker_pid=7,
        shown=("(7,)", "{}"),
    )
    reason = "permanent" if failure else "-"
    return run_notes.of_request(
        request, "failed" if failure else "succeeded", reason, told=told or {}, failure=failure
    )


def facts_of(headers: dict[str, Any]) -> Any:
    return json.loads(note_of(headers).split("\n", 2)[2])


def run_of(note: str) -> JobRun:
    return read(b"1-0", b"owner", b"1", note.encode())


@pytest.mark.parametrize("header", SAME_AS_JOB)
def test_a_fact_that_equals_the_jobs_id_is_kept(header: str) -> None:
    name = dict(run_notes.KEPT)[header]
    assert facts_of({header: JOB})[name] == JOB


def test_only_a_root_that_is_the_job_itself_is_left_out() -> None:
    assert "root" not in facts_of({"root_id": JOB})
    assert facts_of({"root_id": "first"})["root"] == "first"


@pytest.mark.parametrize("value", [None, 7, ["a"], {}])
def test_what_is_no_text_is_left_out(value: object) -> None:
    facts = facts_of(dict.fromkeys((*SAME_AS_JOB, "root_id"), value))
    assert not {*dict(run_notes.KEPT).values(), "root"} & set(facts)


def test_the_history_reads_what_the_note_says() -> None:
    headers = {
        READY_AT_HEADER: 1999.5,
        HEADERS["correlation_id"]: JOB,
        KEY_HEADER: 'send:"7"',
        "parent_id": "p",
        "root_id": "r",
        "retries": 2,
    }
    failure = Failure(error="TimeoutError", text="no answer", traceback="", frames=("/app/mail.py:send",))
    run = run_of(note_of(headers, told={"check": "claimed", "check_us": 700}, failure=failure))
    assert (run.job, run.task, run.queue, run.event, run.reason) == (JOB, "send mail", "email", "failed", "permanent")
    assert (run.correlation, run.idempotency_key, run.parent, run.root) == (JOB, 'send:"7"', "p", "r")
    assert (run.attempt, run.wait_seconds, run.worker, run.pid) == (3, 0.5, "email@host", 7)
    assert (run.error, run.error_text, run.args) == ("TimeoutError", "no answer", "(7,)")
    assert len(run.fingerprint) == 16
