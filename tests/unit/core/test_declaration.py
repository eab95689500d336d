from collections.abc import Iterator
from typing import Any

import pytest
from celery.contrib.django.task import DjangoTask

from apps.core.app import JobsApp
from apps.core.exceptions import DeclarationError
from apps.core.tasks import (
    BaseTask,
    EmailTask,
    ExternalServiceTask,
    IdempotentTask,
    MaintenanceTask,
    ReportTask,
    declaration,
)


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsApp]:
    monkeypatch.setattr(declaration, "_problems", {})
    made = JobsApp("declared", set_as_current=False)
    yield made
    made.close()


def error_of(app: JobsApp, **options: Any) -> str:
    """What finalising says of a task that is declared with `options`."""
    base = options.pop("base", BaseTask)

    @app.task(shared=False, base=base, name="sample", **options)
    def sample() -> None: ...

    with pytest.raises(DeclarationError) as raised:
        app.finalize()
    return str(raised.value)


@pytest.mark.parametrize(
    ("base", "queue", "retries", "delay", "longest", "soft", "hard"),
    [
        (BaseTask, "maintenance", 3, 60, 600, 300, 360),
        (IdempotentTask, "maintenance", 3, 60, 600, 300, 360),
        (EmailTask, "email", 5, 120, 3600, 120, 150),
        (ExternalServiceTask, "external_api", 2, 300, 3600, 120, 150),
        (ReportTask, "reports", 2, 300, 3600, 1800, 3600),
        (MaintenanceTask, "maintenance", 1, 3600, 3600, 3600, 7200),
    ],
)
def test_the_six_classes_have_the_documented_defaults(
    base: type[BaseTask], queue: str, retries: int, delay: int, longest: int, soft: int, hard: int
) -> None:
    assert base.queue_name == queue
    assert (base.max_retries, base.default_retry_delay, base.retry_backoff_max) == (retries, delay, longest)
    assert (base.soft_time_limit, base.time_limit) == (soft, hard)
    assert issubclass(base, DjangoTask)
    assert base.acks_late
    assert base.reject_on_worker_lost


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_retry": 3}, "unknown option 'max_retry'; did you mean 'max_retries'?"),
        ({"soft_timelimit": 3}, "did you mean 'soft_time_limit'?"),
        ({"idempotency_ttl": 60}, "unknown option 'idempotency_ttl'"),
        ({"queue": "e-mail"}, "there is no queue 'e-mail'; did you mean 'email'?"),
        ({"max_retries": -1}, "max_retries must be a whole number"),
        ({"max_retries": True}, "max_retries must be a whole number"),
        ({"default_retry_delay": 0}, "default_retry_delay must be a number of seconds above 0"),
        ({"retry_backoff": -5}, "retry_backoff must be a number of seconds above 0"),
        ({"soft_time_limit": "5"}, "soft_time_limit must be a number of seconds"),
        ({"soft_time_limit": 60, "time_limit": 60}, r"soft_time_limit (60) must be below time_limit (60)"),
        ({"retry_jitter": False}, "retry_jitter cannot be turned off"),
        ({"base": IdempotentTask, "idempotency_tll": 60}, "did you mean 'idempotency_ttl'?"),
    ],
    ids=repr,
)
def test_a_wrong_option_is_an_error_that_names_the_fix(app: JobsApp, options: dict[str, Any], message: str) -> None:
    error = error_of(app, **options)
    assert message in error
    assert "Task 'sample'" in error


def test_one_bad_task_among_ten_is_named_and_the_others_are_registered(app: JobsApp) -> None:
    for number in range(10):
        options = {"max_retry": 1} if number == 4 else {}

        @app.task(shared=False, base=BaseTask, name=f"task_{number}", **options)
        def body() -> None: ...

    with pytest.raises(DeclarationError) as raised:
        app.finalize()
    assert "task_4" in str(raised.value)
    assert str(raised.value).count("Task ") == 1
    assert {name for name in app._tasks if name.startswith("task_")} == {f"task_{number}" for number in range(10)}


def test_an_application_with_a_bad_task_runs_nothing(app: JobsApp) -> None:
    error_of(app, max_retry=3)
    with pytest.raises(DeclarationError):
        app.tasks["sample"]


def test_celerys_own_options_are_known(app: JobsApp) -> None:
    @app.task(
        shared=False,
        base=BaseTask,
        name="sample",
        autoretry_for=(KeyError,),
        retry_backoff=True,
        retry_kwargs={"max_retries": 1},
        ignore_result=True,
        rate_limit="10/m",
        throws=(KeyError,),
        acks_late=True,
        track_started=True,
        typing=False,
        serializer="json",
        queue="email",
    )
    def sample() -> None: ...

    app.finalize()
    assert app.tasks["sample"].queue_name == "email"


def test_a_first_parameter_named_self_is_the_task(app: JobsApp) -> None:
    @app.task(shared=False, base=BaseTask, name="sample")
    def sample(self: BaseTask, left: int, right: int = 2) -> tuple[str, int, int]:
        return self.name, left, right

    assert sample(1) == ("sample", 1, 2)
    assert sample.apply(args=(1,), kwargs={"right": 5}).get() == ("sample", 1, 5)
    with pytest.raises(TypeError):
        sample.apply_async(args=(1, 2, 3))


def test_bind_true_means_the_same(app: JobsApp) -> None:
    @app.task(shared=False, base=BaseTask, name="sample", bind=True)
    def sample(self: BaseTask, left: int) -> tuple[str, int]:
        return self.name, left

    assert sample(1) == ("sample", 1)


def test_a_base_class_of_ones_own_may_have_attributes_of_its_own(app: JobsApp) -> None:
    class Audited(BaseTask):
        abstract = True
        audited = True

    @app.task(shared=False, base=Audited, name="sample", audited=False)
    def sample() -> None: ...

    app.finalize()
    assert app.tasks["sample"].audited is False


def test_no_deprecation_is_reported_for_the_queue_option(app: JobsApp) -> None:
    @app.task(shared=False, base=BaseTask, name="sample", queue="email")
    def sample() -> None: ...

    app.finalize()  # warnings are errors here
    assert "queue" not in vars(type(app.tasks["sample"]))
