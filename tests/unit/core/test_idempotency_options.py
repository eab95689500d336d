from collections.abc import Iterator
from typing import Any

import pytest

from apps.core.app import JobsApp
from apps.core.exceptions import DeclarationError
from apps.core.tasks import EmailTask, ExternalServiceTask, IdempotentTask, declaration

TTL = 77


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsApp]:
    monkeypatch.setattr(declaration, "_problems", {})
    made = JobsApp("declared", set_as_current=False)
    yield made
    made.close()


def test_the_settings_at_the_top_of_a_body_are_options(app: JobsApp) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first")
    def first(self):  # type: ignore[no-untyped-def]
        """Its documentation."""
        self.idempotency_ttl = 3600  # 1 hour
        self.idempotency_scope = "user"
        self.other = 5
        return self.idempotency_ttl

    @app.task(shared=False, base=IdempotentTask, name="second", bind=True)
    def second(self):  # type: ignore[no-untyped-def]
        self.idempotency_ttl = 60 * 2

    app.finalize()
    assert (app.tasks["first"].idempotency_ttl, app.tasks["first"].idempotency_scope) == (3600, "user")
    assert (app.tasks["second"].idempotency_ttl, app.tasks["second"].idempotency_scope) == (120, "global")
    assert IdempotentTask.idempotency_ttl == 3600


def test_an_assignment_while_the_job_runs_changes_nothing(app: JobsApp) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first", idempotency_ttl=60)
    def first(self):  # type: ignore[no-untyped-def]
        setattr(self, "idempotency_ttl", 1)  # noqa: B010 - what bytecode does not show
        self.note = "kept"

    first()
    assert first.idempotency_ttl == 60
    assert first.note == "kept"


def problems(app: JobsApp) -> str:
    with pytest.raises(DeclarationError) as raised:
        app.finalize()
    return str(raised.value)


def test_a_setting_that_is_no_literal_is_an_error_that_says_what_to_write(app: JobsApp) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first")
    def first(self):  # type: ignore[no-untyped-def]
        self.idempotency_ttl = TTL

    assert "@shared_task(base=..., idempotency_ttl=...)" in problems(app)


def test_a_setting_that_comes_after_other_statements_is_an_error(app: JobsApp) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first")
    def first(self):  # type: ignore[no-untyped-def]
        len("work")
        self.idempotency_ttl = 60

    assert "self.idempotency_ttl is not a literal at the top" in problems(app)


def test_a_setting_made_twice_in_different_ways_is_an_error(app: JobsApp) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first", idempotency_ttl=60)
    def first(self):  # type: ignore[no-untyped-def]
        self.idempotency_ttl = 61

    assert "keep one" in problems(app)


def test_a_setting_that_does_not_exist_is_an_error(app: JobsApp) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first")
    def first(self):  # type: ignore[no-untyped-def]
        self.idempotency_tll = 60

    assert "self.idempotency_tll, which is no option" in problems(app)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"idempotency_scope": "tenants"}, "idempotency_scope cannot be 'tenants'; did you mean 'tenant'?"),
        ({"on_duplicate": "skp"}, "did you mean 'skip'?"),
        ({"on_store_down": "stop"}, "on_store_down cannot be 'stop'"),
        ({"idempotency_ttl": 0}, "idempotency_ttl must be a number of seconds above 0"),
        ({"idempotency_ttl": "1h"}, "idempotency_ttl must be a number of seconds above 0"),
        ({"idempotency_failure_ttl": -1}, "idempotency_failure_ttl must be a number of seconds above 0"),
        ({"idempotency_key": 5}, "idempotency_key must be text, or a function"),
    ],
    ids=repr,
)
def test_a_wrong_value_is_an_error_that_names_the_fix(app: JobsApp, options: dict[str, Any], message: str) -> None:
    @app.task(shared=False, base=IdempotentTask, name="first", **options)
    def first() -> None: ...

    assert message in problems(app)


@pytest.mark.parametrize("base", [EmailTask, ExternalServiceTask])
def test_mail_and_external_calls_are_idempotent_and_careful_by_default(base: type[IdempotentTask]) -> None:
    assert base.idempotent
    assert base.on_store_down == "refuse"
