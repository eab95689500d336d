"""For the tests of projects that use the engine: `pytest_plugins = ["apps.core.testing"]`."""

import base64
from collections.abc import Callable
from typing import Any, Final

import pytest
from celery import current_app
from celery.app.trace import build_tracer
from celery.result import EagerResult
from celery.states import RETRY
from kombu.utils.json import loads

from .broker.messages import ENQUEUED_ETA
from .outbox import rows

MOST_ROUNDS: Final = 1000  # of jobs that enqueue jobs; a job that enqueues itself comes to no end


@pytest.fixture
def run_jobs(db: None) -> Callable[[], list[EagerResult[Any]]]:
    """Runs in this process what the test has enqueued in its transaction, and what comes of that, to the end.

    Django's TestCase and pytest's `db` roll a test back, so what it enqueues is never published; this takes the rows
    out of the outbox instead, in the order in which they were enqueued, delayed jobs included. Returns the results as
    jobs ended; `result.get()` raises what the job raised. Raises RuntimeError where there is no end.
    """

    def run() -> list[EagerResult[Any]]:
        results: list[EagerResult[Any]] = []
        for _ in range(MOST_ROUNDS):
            found = list(rows.table().order_by("id"))
            if not found:
                return results
            for row in found:
                rows.table().filter(pk=row.pk).delete()
                result = _run(row.job, row.task, loads(row.message))
                if result.state != RETRY:
                    results.append(result)
        raise RuntimeError(f"After {MOST_ROUNDS} rounds there are still jobs to run: does one enqueue itself?")

    return run


def _run(job: str, name: str, message: dict[str, Any]) -> EagerResult[Any]:
    app: Any = current_app
    task = app.tasks[name]
    args, kwargs, embedded = loads(base64.b64decode(message["body"]))
    headers = message["headers"]
    request = {
        **headers,
        **embedded,
        "is_eager": False,  # so that a retry is enqueued, as it is on a worker, and comes with the next round
        "called_directly": False,
        "headers": {
            key: value for key, value in headers.items() if key.startswith("bgjobs_") and key != ENQUEUED_ETA
        },
        "delivery_info": {**message["properties"]["delivery_info"], "redelivered": False},
    }
    traced = build_tracer(name, task, eager=True, propagate=False, app=app)(job, args, kwargs, request)
    value, state, trace = traced.retval, "SUCCESS", None
    if traced.info is not None:
        state, value, trace = traced.info.state, traced.info.retval, getattr(traced.info, "traceback", None)
    return EagerResult(job, value, state, traceback=trace, name=name)
