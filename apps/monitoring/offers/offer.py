"""An action as the pages offer it: in two steps, first what it would do, then whether to do it and why."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from django import forms
from django.http import QueryDict

from apps.core.actions import ACTIONS, Actor
from apps.core.actions.models import OperatorAction
from apps.core.actions.service import LONGEST_REASON


class ReasonForm(forms.Form):
    """What every action asks for. An action that asks for more has a form that extends this one."""

    request_id = forms.UUIDField(widget=forms.HiddenInput)  # made by the server: the same request acts once
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text="For those who read the audit later.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the action is to be done to, as the address says it: name -> values."""

    values: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, query: QueryDict, takes: tuple[str, ...]) -> Self:
        return cls(values={name: tuple(query.getlist(name)) for name in takes if query.getlist(name)})

    def one(self, name: str) -> str:
        """The only or last value; "" without one."""
        return self.values.get(name, ("",))[-1]

    def all(self, name: str) -> tuple[str, ...]:
        return self.values.get(name, ())

    def pairs(self) -> list[tuple[str, str]]:
        """For hidden fields and addresses."""
        return [(name, value) for name, values in self.values.items() for value in values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen, found out without doing anything."""

    sentence: str
    count: int | None  # how many things it would affect; None: unknown
    names: tuple[str, ...] = ()  # some of those things


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """An operator's decision to do it."""

    target: Target
    fields: dict[str, Any]  # of the form, cleaned
    actor: Actor
    reason: str
    request_id: UUID

    def signed(self) -> dict[str, Any]:
        """What each function of apps/core/operating wants to know beside its own arguments."""
        return {"actor": self.actor, "reason": self.reason, "request_id": self.request_id}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it: the row in the audit, and for an action that answers something its page."""

    row: OperatorAction
    template: str = ""  # "": back to where the operator came from
    context: dict[str, Any] = field(default_factory=dict)


def _nothing(_: Target) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One line of the table in catalogue.py.

    `preview` and `act` raise apps/core/operating's error, a sentence, where the target is unknown or unfit; `act`
    raises Django's ValidationError for a field that does not do.
    """

    name: str  # in its address, actions/<name>/
    action: str  # the one of ACTIONS that it is, which names the permission
    label: str  # on its button
    title: str  # of its page
    takes: tuple[str, ...]  # parameters of its address that say what it is done to
    preview: Callable[[Target], Preview]
    act: Callable[[Ask], Outcome]
    form: type[ReasonForm] = ReasonForm
    initial: Callable[[Target], dict[str, Any]] = _nothing  # what the form begins with
    needs_broker: bool = True
    destroys: bool = False  # shown as something to think about twice

    @property
    def permission(self) -> str:
        return f"bgjobs.{ACTIONS[self.action].permission}"

    @property
    def words(self) -> str:
        """What it allows, after "may"."""
        return ACTIONS[self.action].words
