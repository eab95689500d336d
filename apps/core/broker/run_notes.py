"""The note of an attempt that has ended: what the server's scripts count, and what the history of runs keeps.

Three lines, whose form lua/counts.lua describes. Each attempt has one, so what makes it is written to be fast.
"""

import json
import time
from bisect import bisect_left
from collections.abc import Mapping
from functools import cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, Final

from ..context import ENTRY_HEADER, HEADERS, KEY_HEADER, READY_AT_HEADER
from ..fingerprint import fingerprint
from ..metrics.events import CHECK_EDGES, EDGES, EXPIRED, NONE
from .failure import Failure

# Headers that the history keeps, and their names there.
KEPT: Final = (
    *((header, name.removesuffix("_id")) for name, header in HEADERS.items()),
    (ENTRY_HEADER, "entry"),
    (KEY_HEADER, "key"),
    ("parent_id", "parent"),
)
LONGEST_ERROR: Final = 500  # characters
LONGEST_SHOWN: Final = 500  # characters of arguments, positional and named ones each
SECOND: Final = 1_000_000  # microseconds
UNKNOWN: Final = (NONE, NONE)

_EDGES: Final = [round(edge * SECOND) for edge in EDGES]
_CHECK_EDGES: Final = [round(edge * SECOND) for edge in CHECK_EDGES]


def of_request(
    request: Any, event: str, reason: str = NONE, *, told: Mapping[str, Any], failure: Failure | None = None
) -> str:
    """Of an attempt in the hands of `request`. `told`: by the process that ran it (told.py)."""
    now = time.time()
    message, started = request.message, request.time_start
    headers: Mapping[str, Any] = message.headers
    ready, job = headers.get(READY_AT_HEADER), request.id
    begun = started or now
    has_waited = started or event == EXPIRED
    wait, wait_place = _measured(begun - ready) if has_waited and ready is not None else UNKNOWN
    run, run_place = _measured(now - begun) if started else UNKNOWN
    facts = f'{{"job": {quoted(job)}, "ended_at": {now:.3f}{_of_worker(request.hostname)}'
    if started:
        facts += f', "pid": {request.worker_pid}'
    args, kwargs = request.shown
    if args != "()":
        facts += f', "args": {quoted(args)}'
    if kwargs != "{}":
        facts += f', "kwargs": {quoted(kwargs)}'
    for header, name in KEPT:
        value = headers.get(header)
        if value is not None and isinstance(value, str):
            facts += f', "{name}": {quoted(value)}'
    root = headers.get("root_id")
    if root != job and isinstance(root, str):  # the first of a tree is its own
        facts += f', "root": {quoted(root)}'
    if headers.get("retries"):
        facts += f', "attempt": {_attempt(headers["retries"])}'
    check, check_time, check_place = NONE, NONE, NONE
    if told:
        check, microseconds = told.get("check", NONE), told.get("check_us")
        if microseconds is not None:
            check_time, check_place = str(microseconds), str(bisect_left(_CHECK_EDGES, microseconds))
        if "duplicate_of" in told:
            facts += f', "duplicate_of": {quoted(told["duplicate_of"])}'
    if failure is not None:
        facts += _of_failure(failure, task=request.name, reason=reason)
    return (
        f"{event} {reason} {message.entry.queue} {wait_place} {run_place} {check} {check_place} {request.name}\n"
        f"{wait} {run} {check_time}\n{facts}}}"
    )


def of_message(event: str, *, queue: str, reason: str = NONE, headers: Mapping[str, Any] | None = None) -> str:
    """Of a message that never became a job."""
    headers = headers or {}
    task, job = headers.get("task"), headers.get("id")
    known = task if isinstance(task, str) and task and "\n" not in task else NONE
    facts = {"ended_at": time.time()} | ({"job": job} if isinstance(job, str) else {})
    return f"{event} {reason} {queue} - - - - {known}\n- - -\n{json.dumps(facts)}"


def _measured(seconds: float) -> tuple[int, int]:
    """In microseconds, and its place among the edges. Clocks that differ make no time less than none."""
    microseconds = max(int(seconds * SECOND), 0)
    return microseconds, bisect_left(_EDGES, microseconds)


@cache
def _of_worker(node: str) -> str:
    return f', "worker": {quoted(node)}'


def _of_failure(failure: Failure, *, task: str, reason: str) -> str:
    mark = fingerprint(task=task, reason=reason, error=failure.error, frames=failure.frames)
    error, text = quoted(failure.error), quoted(failure.text[:LONGEST_ERROR])
    return f', "error": {error}, "error_text": {text}, "fingerprint": "{mark}"'


def _attempt(retries: Any) -> int:
    return retries + 1 if isinstance(retries, int) else 1
