"""The table of what pages offer."""

import uuid
from typing import get_args

import pytest
from django.http import QueryDict

from apps.core.actions import ACTIONS
from apps.core.health.problem import Action
from apps.monitoring.idempotency_key import shape, shape_of_stored
from apps.monitoring.offers import OFFERS, ReasonForm, Target
from apps.monitoring.offers.queues import PauseForm
from apps.monitoring.offers.repairs import NAMING, REPAIRS

COMMANDS_ONLY = {"restore-quarantined", "move-from-stock", "move-to-stock"}  # done by hand, once in years


def test_whatever_operators_may_do_is_offered() -> None:
    assert {offer.action for offer in OFFERS.values()} == set(ACTIONS) - COMMANDS_ONLY
    assert all(offer.name == name for name, offer in OFFERS.items())


def test_every_button_that_a_problem_may_name_is_offered_for_what_it_names() -> None:
    assert set(REPAIRS) == set(get_args(Action))
    assert all(takes in OFFERS[name].takes for name, takes in REPAIRS.items())
    assert set(NAMING) <= set(REPAIRS)


def test_the_address_says_what_it_is_done_to_and_nothing_else() -> None:
    target = Target.of(QueryDict("job=a&job=b&queue=x&reason=y"), ("job", "task"))
    assert target.all("job") == ("a", "b")
    assert target.one("job") == "b"
    assert target.one("task") == ""
    assert target.pairs() == [("job", "a"), ("job", "b")]


def test_a_reason_of_blanks_is_none() -> None:
    assert not ReasonForm({"request_id": str(uuid.uuid4()), "reason": "  "}).is_valid()
    assert not ReasonForm({"request_id": "", "reason": "why"}).is_valid()
    assert ReasonForm({"request_id": str(uuid.uuid4()), "reason": "why"}).is_valid()


@pytest.mark.parametrize(("text", "seconds"), [("", None), ("90s", 90), ("1h30m", 5400)])
def test_a_span_is_written_as_on_the_command_line(text: str, seconds: float | None) -> None:
    form = PauseForm({"request_id": str(uuid.uuid4()), "reason": "why", "span": text})
    assert form.is_valid()
    assert form.cleaned_data["span"] == seconds


def test_what_is_no_span_is_told_how_to_be_written() -> None:
    form = PauseForm({"request_id": str(uuid.uuid4()), "reason": "why", "span": "5"})
    assert "without a unit" in str(form.errors["span"])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "None"),
        (True, "true or false"),
        (7, "a number"),
        ("secret", "text of 6 characters"),
        ({"password": "x"}, "an object with 1 name"),
        ([1, 2, 3], "a list of 3"),
    ],
)
def test_a_result_is_told_by_its_shape(value: object, words: str) -> None:
    assert shape(value) == words


def test_a_result_that_was_not_kept_says_why() -> None:
    assert shape_of_stored('{"omitted": "too large: 70000 bytes"}') == "not kept: too large: 70000 bytes"
    assert shape_of_stored("not json") == "not readable"
    assert shape_of_stored("[1]") == "not readable"
