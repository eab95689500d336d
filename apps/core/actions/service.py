"""Doing an operator's action."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.core.exceptions import PermissionDenied, ValidationError

from ..logs import get_logger, redact
from .actor import Actor
from .catalogue import ACTIONS, Action
from .models import OperatorAction

LONGEST_TARGET: Final = 1000  # characters, as of the detail: who names more things by name sees how many they were
LONGEST_REASON: Final = 2000

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What an action has come to."""

    affected: int  # how many things
    detail: str = ""  # a sentence, for whoever asked and for the audit


def perform(
    name: str,
    work: Callable[[], int | Done],
    *,
    actor: Actor,
    target: str,
    reason: str,
    request_id: uuid.UUID | None = None,
    prepare: Callable[[], int | None] | None = None,
) -> OperatorAction:
    """Run `work`, which returns what it has affected, and return the action's row.

    The row is written before the work. A request id that has acted before does not act again: its row is returned.
    `prepare` looks at what is to be done before the row is written: it returns how many things it should affect, or
    raises where it cannot be done, and then there is no row.
    Raises PermissionDenied, ValidationError for a missing reason, and whatever `prepare` and the work raise.
    """
    permit(name, actor=actor, reason=reason)
    action = ACTIONS[name]
    target = _brief(target)
    if request_id is not None and (earlier := OperatorAction.objects.filter(request_id=request_id).first()):
        return _same(earlier, actor, action, target)
    expected = prepare() if prepare else None
    row, is_new = OperatorAction.objects.get_or_create(
        request_id=request_id or uuid.uuid4(),
        defaults={"actor": actor.name, "action": name, "target": target, "reason": reason, "expected": expected},
    )
    if not is_new:
        return _same(row, actor, action, target)
    log.info("action.started", action=name, actor=actor.name, request_id=str(row.request_id))
    try:
        done = work()
    except Exception as error:
        row.end(OperatorAction.Result.FAILED, detail=_brief(redact(f"{type(error).__name__}: {error}")))
        raise
    affected, detail = (done.affected, done.detail) if isinstance(done, Done) else (done, "")
    row.end(OperatorAction.Result.DONE, affected=affected, detail=_brief(detail))
    return row


def permit(name: str, *, actor: Actor, reason: str) -> None:
    """Raises PermissionDenied, and ValidationError for a missing reason."""
    action = ACTIONS[name]
    if not actor.may(action):
        log.warning("action.denied", action=name, actor=actor.name)
        raise PermissionDenied(f"{actor.name} may not {action.words}.")
    if not reason.strip():
        raise ValidationError("Say why, for those who read the audit later.")
    if len(reason) > LONGEST_REASON:
        raise ValidationError(f"Say why in {LONGEST_REASON} characters at most.")
    if "\0" in reason:
        raise ValidationError("The reason holds a character that cannot be kept (NUL).")


def _same(row: OperatorAction, actor: Actor, action: Action, target: str) -> OperatorAction:
    """The row of a request that is made again, which must be the same request."""
    if (row.actor, row.action, row.target) != (actor.name, action.name, target):
        raise ValidationError("This request has done something else before. Begin again, with a new one.")
    return row


def _brief(text: str) -> str:
    text = text.replace("\0", "\ufffd")
    return text if len(text) <= LONGEST_TARGET else f"{text[:LONGEST_TARGET]}…"
