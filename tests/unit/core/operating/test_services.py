"""Every action has a function, a permission and a command, and asks for the permission first."""

import inspect
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, ValidationError

from apps.core import operating
from apps.core.actions import ACTIONS, Action, Actor
from apps.core.actions.catalogue import PERMISSIONS
from apps.core.actions.service import LONGEST_REASON
from apps.core.commands import SUBCOMMANDS
from apps.core.dead_letters.replay import Replay
from apps.core.dead_letters.selection import Selection
from apps.core.operating import SERVICES

ARGUMENTS: dict[str, Any] = {
    "queue": "critical",
    "typed_name": "critical",
    "selection": Selection(names=("1",)),
    "ids": ("job",),
    "job_or_letter": "job",
    "entry": "entry",
    "task": "task",
    "seconds": 60,
    "node": "node",
    "key": "key",
}


class NoRights(Actor):
    """Notes what it was asked for."""

    asked: list[Action] = []

    def may(self, action: Action) -> bool:
        self.asked.append(action)
        return False


def arguments_of(service: Any) -> dict[str, Any]:
    parameters = inspect.signature(service).parameters.values()
    needed = [one.name for one in parameters if one.default is one.empty and one.name not in ("actor", "reason")]
    return {name: ARGUMENTS[name] for name in needed}


def test_every_action_has_a_function_and_a_command() -> None:
    assert set(SERVICES) == set(ACTIONS)
    names = {subcommand.NAME for subcommand in SUBCOMMANDS}
    assert {action.command for action in ACTIONS.values()} <= names
    assert {action.permission for action in ACTIONS.values()} == set(PERMISSIONS)


def test_every_function_that_acts_is_in_the_table() -> None:
    found = {
        one
        for name in operating.__all__
        if inspect.isfunction(one := getattr(operating, name)) and "actor" in inspect.signature(one).parameters
    }
    assert found == {*SERVICES.values(), operating.edit_and_retry}
    for service in found:
        keywords = [
            one.name for one in inspect.signature(service).parameters.values() if one.kind is one.KEYWORD_ONLY
        ]
        assert keywords[-3:] == ["actor", "reason", "request_id"], service


@pytest.mark.parametrize("name", sorted(ACTIONS))
def test_a_function_asks_for_the_permission_of_its_action_before_anything(name: str) -> None:
    NoRights.asked.clear()
    with pytest.raises(PermissionDenied, match="ann may not"):
        SERVICES[name](**arguments_of(SERVICES[name]), actor=NoRights(name="ann"), reason="why")
    assert NoRights.asked == [ACTIONS[name]]


def test_who_may_not_retry_does_not_learn_what_is_wrong_with_new_arguments() -> None:
    with pytest.raises(PermissionDenied, match="ann may not run again"):
        operating.edit_and_retry(1, "{", actor=NoRights(name="ann"), reason="why")


@pytest.mark.parametrize("name", sorted(ACTIONS))
@pytest.mark.parametrize("reason", ["", " \n", "x" * (LONGEST_REASON + 1), "a\0b"])
def test_a_function_wants_a_reason_before_anything(name: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=r"Say why|NUL"):
        SERVICES[name](**arguments_of(SERVICES[name]), actor=Actor.on_command_line(), reason=reason)


def test_who_releases_keys_by_a_retry_needs_that_permission_too() -> None:
    class MayRetry(Actor):
        def may(self, action: Action) -> bool:
            return action.permission == "retry_task"

    with pytest.raises(PermissionDenied, match="ann may not release an idempotency key"):
        operating.retry_letters(
            Selection(names=("1",)), how=Replay(release_key=True), actor=MayRetry(name="ann"), reason="why"
        )
