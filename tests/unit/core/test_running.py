from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery.exceptions import Ignore, SoftTimeLimitExceeded

from apps.core import context
from apps.core.app import JobsApp
from apps.core.exceptions import RateLimitedError
from apps.core.tasks import BaseTask, ReportTask


@pytest.fixture
def app() -> Iterator[JobsApp]:
    made = JobsApp("running", set_as_current=False, changes={"result_backend": "cache+memory://"})
    yield made
    made.close()


def attempts_until_end(app: JobsApp, error: Exception, **options: Any) -> int:
    """How often a job that always raises `error` is tried in process."""
    tried = []

    @app.task(shared=False, base=BaseTask, name="sample", **options)
    def sample() -> None:
        tried.append(1)
        raise error

    result = sample.apply()
    assert result.state == "FAILURE"
    assert type(result.result) is type(error)
    return len(tried)


def test_a_transient_error_is_retried_three_times(app: JobsApp) -> None:
    assert attempts_until_end(app, OSError("gone")) == 4


def test_a_permanent_error_is_not_retried(app: JobsApp) -> None:
    assert attempts_until_end(app, ValueError("wrong")) == 1


def test_a_permanent_error_named_in_autoretry_for_is_retried(app: JobsApp) -> None:
    assert attempts_until_end(app, KeyError("x"), autoretry_for=(LookupError,)) == 4


def test_a_transient_error_named_in_dont_autoretry_for_is_not_retried(app: JobsApp) -> None:
    assert attempts_until_end(app, OSError("gone"), dont_autoretry_for=(OSError,)) == 1


def test_max_retries_bounds_the_attempts(app: JobsApp) -> None:
    assert attempts_until_end(app, OSError("gone"), max_retries=1) == 2


def test_retry_kwargs_apply_to_retries_by_themselves(app: JobsApp) -> None:
    assert attempts_until_end(app, OSError("gone"), retry_kwargs={"max_retries": 2}) == 3


def test_a_job_past_its_soft_time_limit_is_not_retried(app: JobsApp) -> None:
    assert attempts_until_end(app, SoftTimeLimitExceeded()) == 1


def countdowns(app: JobsApp, monkeypatch: pytest.MonkeyPatch, body: Any, **options: Any) -> list[float]:
    """The countdown of each retry of a job with this body."""
    seen: list[float] = []
    monkeypatch.setattr(
        "celery.app.task.Task.signature_from_request",
        lambda self, *args, countdown=None, **kwargs: (seen.append(countdown), original(self, *args, **kwargs))[1],
    )
    app.task(shared=False, base=BaseTask, name="sample", **options)(body)
    app.tasks["sample"].apply()
    return seen


from celery.app.task import Task  # noqa: E402 - below the helper that patches it

original = Task.signature_from_request


def assert_doubling_from_a_minute(seconds: list[float]) -> None:
    for waited, longest in zip(seconds, (60, 120, 240), strict=False):
        assert longest / 2 <= waited <= longest


def test_retry_and_autoretry_wait_alike(app: JobsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_itself(self: BaseTask) -> None:
        raise OSError("gone")

    assert_doubling_from_a_minute(countdowns(app, monkeypatch, by_itself))


def test_a_retry_called_by_the_task_waits_alike(app: JobsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_call(self: BaseTask) -> None:
        raise self.retry(exc=KeyError("x"))

    assert_doubling_from_a_minute(countdowns(app, monkeypatch, by_call))


def test_a_retry_waits_as_long_as_the_other_side_asked(app: JobsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def limited(self: BaseTask) -> None:
        raise RateLimitedError("slow down", retry_after=1800)

    assert countdowns(app, monkeypatch, limited)[0] == 1800


def test_an_explicit_countdown_is_kept(app: JobsApp, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_call(self: BaseTask) -> None:
        raise self.retry(exc=KeyError("x"), countdown=7)

    assert countdowns(app, monkeypatch, by_call)[0] == 7


def test_hooks_that_raise_do_not_change_how_a_job_ends(app: JobsApp) -> None:
    class Hooked(BaseTask):
        abstract = True

        def before_start(self, *args: Any) -> None:
            raise RuntimeError("before")

        def on_success(self, *args: Any) -> None:
            raise RuntimeError("success")

        def after_return(self, *args: Any) -> None:
            raise RuntimeError("after")

    @app.task(shared=False, base=Hooked, name="sample")
    def sample() -> int:
        return 5

    assert sample.apply().get() == 5


def test_ignore_passes_through(app: JobsApp) -> None:
    @app.task(shared=False, base=BaseTask, name="sample")
    def sample() -> None:
        raise Ignore

    assert sample.apply().state == "IGNORED"


def test_a_plain_call_runs_the_function_and_raises_its_error(app: JobsApp) -> None:
    @app.task(shared=False, base=BaseTask, name="sample")
    def sample() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        sample()


def test_a_job_in_process_sees_the_callers_context(app: JobsApp) -> None:
    @app.task(shared=False, base=BaseTask, name="sample")
    def sample() -> str | None:
        return context.current().tenant_id

    with context.using(tenant_id=7):
        assert sample.apply().get() == "7"


@pytest.mark.parametrize("error", [None, KeyError("x"), SoftTimeLimitExceeded()], ids=repr)
def test_temporary_files_of_a_report_go_away_however_it_ends(app: JobsApp, error: Exception | None) -> None:
    made: list[Path] = []

    @app.task(shared=False, base=ReportTask, name="sample")
    def sample(self: ReportTask) -> None:
        made.extend([self.temporary_file(".pdf"), self.temporary_file()])
        made[0].write_bytes(b"x")
        if error:
            raise error

    sample.apply()
    assert made[0].suffix == ".pdf"
    assert not any(path.exists() or path.parent.exists() for path in made)


def test_a_temporary_file_outside_a_job_is_an_error_that_says_why(app: JobsApp) -> None:
    @app.task(shared=False, base=ReportTask, name="sample")
    def sample(self: ReportTask) -> None:
        self.temporary_file()

    with pytest.raises(RuntimeError, match="running job only"):
        sample()


@pytest.mark.parametrize(("done", "total"), [(-1, 5), (6, 5)])
def test_impossible_progress_is_refused(app: JobsApp, done: int, total: int) -> None:
    @app.task(shared=False, base=ReportTask, name="sample")
    def sample(self: ReportTask) -> None:
        self.progress(done, total)

    with pytest.raises(ValueError, match="0 <= done <= total"):
        sample()
