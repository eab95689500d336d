from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.app import JobsApp
from apps.core.exceptions import DeclarationError
from apps.core.masking import HIDDEN, masked, named, scrub, secrets
from apps.core.tasks import BaseTask, declaration

SENSITIVE = ("password", "card")


def sign_in(user: str, password: str = "", *rest: Any, card: Any = None, **more: Any) -> None: ...


def plain(user: str, password: str = "") -> None: ...


@pytest.mark.parametrize(
    ("args", "kwargs", "shown"),
    [
        (("ann", "pw"), {}, {"user": "ann", "password": HIDDEN}),
        (("ann",), {"password": "pw"}, {"user": "ann", "password": HIDDEN}),
        (("ann",), {"card": {"number": [1, {"cvc": 2}]}}, {"user": "ann", "card": HIDDEN}),
        ((), {"user": "ann", "note": 1}, {"user": "ann", "note": 1}),
        (("ann", "pw", 3, 4), {}, {"user": "ann", "password": HIDDEN, "[2]": 3, "[3]": 4}),
        ((), {}, {}),
    ],
)
def test_a_sensitive_argument_is_hidden_whole_wherever_it_stands(
    args: tuple[Any, ...], kwargs: dict[str, Any], shown: dict[str, Any]
) -> None:
    assert named(sign_in, SENSITIVE, args, kwargs) == shown


def test_what_the_function_does_not_take_is_hidden_beside_sensitive_arguments() -> None:
    """It may be a misspelt one."""
    assert named(plain, ("password",), ("ann", "pw", "pw2"), {"pasword": "pw"}) == {
        "user": "ann",
        "password": HIDDEN,
        "[2]": HIDDEN,
        "pasword": HIDDEN,
    }
    assert named(plain, (), ("ann", "pw", "x"), {"y": 1}) == {"user": "ann", "password": "pw", "[2]": "x", "y": 1}


def test_the_names_of_variable_arguments_hide_all_of_them() -> None:
    assert masked(sign_in, ("rest", "more"), ("ann", "", 1, 2), {"x": 3, "card": 4}) == (
        ("ann", "", HIDDEN, HIDDEN),
        {"x": HIDDEN, "card": 4},
    )


def test_an_argument_given_twice_is_shown_twice() -> None:
    assert named(plain, ("password",), ("ann",), {"user": "bob"}) == {"user": "ann", "user (again)": "bob"}


@given(st.text(min_size=8, max_size=30), st.integers(min_value=1000))
def test_no_text_of_a_sensitive_argument_survives(word: str, number: int) -> None:
    card = {"names": [word], "number": number}
    found = secrets(sign_in, SENSITIVE, ("ann", word), {"card": card})
    for text in (word, f"no {word} and {number}", repr(card), str(ValueError(word, number))):
        left = scrub(text, found)
        assert word not in left
        assert str(number) not in left


def test_short_texts_are_not_looked_for_in_errors() -> None:
    assert secrets(sign_in, SENSITIVE, ("ann", "a"), {"card": {"cvc": 1, "is_new": True, "none": None}}) == set()
    assert scrub("a banana", secrets(sign_in, SENSITIVE, ("ann", "a"), {})) == "a banana"


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> Iterator[JobsApp]:
    monkeypatch.setattr(declaration, "_problems", {})
    made = JobsApp("masking", set_as_current=False)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("option", "problem"),
    [
        ("password", "sensitive_args must be a tuple of names"),
        ((7,), "sensitive_args must be a tuple of names"),
        (
            ("pasword",),
            "sensitive_args names 'pasword', which is no argument of the function: it takes user, password",
        ),
        (("self",), "sensitive_args names 'self'"),
    ],
)
@pytest.mark.parametrize("is_bound", [True, False])
def test_a_wrong_name_is_an_error_of_the_declaration(app: JobsApp, option: Any, problem: str, is_bound: bool) -> None:
    def bound(self: Any, user: str, password: str = "") -> None: ...

    app.task(shared=False, base=BaseTask, name="sample", sensitive_args=option)(bound if is_bound else plain)
    with pytest.raises(DeclarationError, match="Task 'sample'") as raised:
        app.finalize()
    assert problem in str(raised.value)


def test_names_of_arguments_are_right_and_variable_ones_may_have_any(app: JobsApp) -> None:
    app.task(shared=False, base=BaseTask, name="plain", sensitive_args=("password",))(plain)
    app.task(shared=False, base=BaseTask, name="any", sensitive_args=("token",))(sign_in)
    app.finalize()


def test_what_celery_shows_is_masked_when_a_job_is_enqueued(app: JobsApp) -> None:
    task = app.task(shared=False, base=BaseTask, name="plain", sensitive_args=("password",))(plain)
    assert task.shown_arguments(("ann", "pw"), {}) == {"argsrepr": repr(("ann", HIDDEN)), "kwargsrepr": "{}"}
    other = app.task(shared=False, base=BaseTask, name="other")(plain)
    assert other.shown_arguments(("ann", "pw"), {}) == {}
