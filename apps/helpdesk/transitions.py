"""Which status a ticket may take from which. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from django.db.models import TextChoices

from apps.core.exceptions import PermanentError


class Status(TextChoices):
    NEW = "NEW"
    OPEN = "OPEN"
    ON_HOLD = "ON_HOLD"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


WAITING = (Status.NEW, Status.OPEN)  # someone has to do something, and the clock runs


class Action(TextChoices):
    """What can happen to a ticket."""

    RAISE = "RAISE"
    ASSIGN = "ASSIGN"
    ESCALATE = "ESCALATE"
    OPEN = "OPEN"
    HOLD = "HOLD"
    RESUME = "RESUME"
    RESOLVE = "RESOLVE"
    CLOSE = "CLOSE"
    CANCEL = "CANCEL"
    REOPEN = "REOPEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    sources: frozenset[Status]
    target: Status


TRANSITIONS: Mapping[Action, Transition] = MappingProxyType(
    {
        Action.OPEN: Transition(sources=frozenset({Status.NEW}), target=Status.OPEN),
        Action.HOLD: Transition(sources=frozenset(WAITING), target=Status.ON_HOLD),
        Action.RESUME: Transition(sources=frozenset({Status.ON_HOLD}), target=Status.OPEN),
        Action.RESOLVE: Transition(sources=frozenset({*WAITING, Status.ON_HOLD}), target=Status.RESOLVED),
        Action.CLOSE: Transition(sources=frozenset({Status.RESOLVED}), target=Status.CLOSED),
        Action.CANCEL: Transition(sources=frozenset({*WAITING, Status.ON_HOLD}), target=Status.CANCELLED),
        Action.REOPEN: Transition(
            sources=frozenset({Status.RESOLVED, Status.CLOSED, Status.CANCELLED}), target=Status.OPEN
        ),
    }
)


class IllegalTransition(PermanentError):  # noqa: N818 - it reads as what it is
    """A ticket cannot take this status from the one it has."""


def possible(status: Status) -> list[Action]:
    """The actions that change `status`."""
    return [action for action, transition in TRANSITIONS.items() if status in transition.sources]


def after(status: Status, action: Action) -> Status:
    """The status that `action` leads to. Raises IllegalTransition, naming the actions that are possible."""
    transition = TRANSITIONS.get(action)
    if transition is None or status not in transition.sources:
        allowed = ", ".join(possible(status))
        raise IllegalTransition(f"{action} is not possible for a ticket that is {status}; possible: {allowed}.")
    return transition.target
