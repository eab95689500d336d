"""The state machine of a ticket."""

from itertools import product

import pytest

from apps.helpdesk.transitions import WAITING, Action, IllegalTransition, Status, after, possible

LEGAL = {
    (Status.NEW, Action.OPEN): Status.OPEN,
    (Status.NEW, Action.HOLD): Status.ON_HOLD,
    (Status.NEW, Action.RESOLVE): Status.RESOLVED,
    (Status.NEW, Action.CANCEL): Status.CANCELLED,
    (Status.OPEN, Action.HOLD): Status.ON_HOLD,
    (Status.OPEN, Action.RESOLVE): Status.RESOLVED,
    (Status.OPEN, Action.CANCEL): Status.CANCELLED,
    (Status.ON_HOLD, Action.RESUME): Status.OPEN,
    (Status.ON_HOLD, Action.RESOLVE): Status.RESOLVED,
    (Status.ON_HOLD, Action.CANCEL): Status.CANCELLED,
    (Status.RESOLVED, Action.CLOSE): Status.CLOSED,
    (Status.RESOLVED, Action.REOPEN): Status.OPEN,
    (Status.CLOSED, Action.REOPEN): Status.OPEN,
    (Status.CANCELLED, Action.REOPEN): Status.OPEN,
}


@pytest.mark.parametrize(("status", "action"), list(product(Status, Action)))
def test_every_status_takes_exactly_the_actions_of_the_table(status: Status, action: Action) -> None:
    if (status, action) in LEGAL:
        assert after(status, action) == LEGAL[status, action]
    else:
        with pytest.raises(IllegalTransition, match=f"{action} is not possible"):
            after(status, action)


def test_the_error_names_what_is_possible() -> None:
    with pytest.raises(IllegalTransition, match=r"CLOSED; possible: REOPEN\."):
        after(Status.CLOSED, Action.HOLD)


def test_from_every_status_there_is_a_way_on() -> None:
    assert all(possible(status) for status in Status)


def test_only_new_and_open_tickets_wait() -> None:
    assert set(WAITING) == {Status.NEW, Status.OPEN}
