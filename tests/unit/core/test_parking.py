"""What becomes of a job whose service is not called for now."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from celery.exceptions import Reject, Retry
from kombu.exceptions import OperationalError

from apps.core.app import JobsApp
from apps.core.exceptions import CircuitOpenError
from apps.core.tasks import ExternalServiceTask, parking, runner

PROBE_AT = time.time() + 300
SUSPENDED = CircuitOpenError("suspended", service="mqtt", probe_at=PROBE_AT)


@pytest.fixture
def app() -> Iterator[JobsApp]:
    made = JobsApp("parking", set_as_current=False, changes={"result_backend": "cache+memory://"})
    yield made
    made.close()


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The options of what was published."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("celery.canvas.Signature.apply_async", lambda self: seen.append(dict(self.options)))
    monkeypatch.setattr(parking, "place_behind_probe", lambda service, job: PROBE_AT + 2)
    return seen


def attempt(app: JobsApp, error: Exception = SUSPENDED, **options: Any) -> Callable[[], Any]:
    """The second attempt at a job on a worker, whose function raises `error`."""

    @app.task(shared=False, base=ExternalServiceTask, name="sample", **options)
    def sample() -> None:
        raise error

    task: Any = app.tasks["sample"]

    def run() -> Any:
        task.push_request(id="job-1", retries=1, args=(), kwargs={}, called_directly=False, is_eager=False)
        try:
            return runner.attempt(task, (), {})
        finally:
            task.pop_request()

    return run


def test_it_comes_back_behind_the_probe_and_has_spent_no_retry(app: JobsApp, published: list[dict[str, Any]]) -> None:
    with pytest.raises(Retry) as raised:
        attempt(app)()
    due = datetime.fromtimestamp(PROBE_AT + 2, UTC)
    assert raised.value.when == due  # until then its key stays its own
    (options,) = published
    assert (options["task_id"], options["retries"], options["eta"]) == ("job-1", 1, due)


def test_one_that_has_no_retry_left_is_parked_all_the_same(app: JobsApp, published: list[dict[str, Any]]) -> None:
    with pytest.raises(Retry):
        attempt(app, max_retries=1)()
    assert len(published) == 1


def test_one_that_cannot_be_told_its_place_asks_at_the_probes_time(
    app: JobsApp, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(service: str, job: str) -> float:
        raise redis.ConnectionError

    monkeypatch.setattr(parking, "place_behind_probe", down)
    with pytest.raises(Retry):
        attempt(app)()
    assert published[0]["eta"] == datetime.fromtimestamp(PROBE_AT, UTC)


@pytest.mark.parametrize("error", [OperationalError("down"), redis.ConnectionError("down")], ids=repr)
def test_one_that_cannot_be_published_goes_back_into_its_queue(
    app: JobsApp, published: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def refuse(self: Any) -> None:
        raise error

    monkeypatch.setattr("celery.canvas.Signature.apply_async", refuse)
    with pytest.raises(Reject) as raised:
        attempt(app)()
    assert raised.value.requeue is True


def test_a_task_may_ask_to_fail_at_once(app: JobsApp, published: list[dict[str, Any]]) -> None:
    with pytest.raises(CircuitOpenError):
        attempt(app, dont_autoretry_for=(CircuitOpenError,))()
    assert published == []


def test_an_error_that_names_no_service_is_retried_as_any_other(
    app: JobsApp, published: list[dict[str, Any]]
) -> None:
    with pytest.raises(Retry):
        attempt(app, CircuitOpenError("of the task's own"))()
    assert [options["retries"] for options in published] == [2]


def test_a_job_in_process_is_not_parked(app: JobsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    @app.task(shared=False, base=ExternalServiceTask, name="sample", idempotent=False)
    def sample() -> None:
        raise SUSPENDED

    assert isinstance(sample.apply().result, CircuitOpenError)
