"""Doing an operator's action."""

import uuid
from collections.abc import Callable

from django.core.exceptions import PermissionDenied, ValidationError

from ..logs import get_logger, redact
from .actor import Actor
from .catalogue import ACTIONS
from .models import OperatorAction

log = get_logger(__name__)


def perform(
    name: str,
    work: Callable[[], int],
    *,
    actor: Actor,
    target: str,
    reason: str,
    request_id: uuid.UUID | None = None,
    expected: int | None = None,
) -> OperatorAction:
    """Run `work`, which returns how many things it affected, and return the action's row.

    The row is written before the work. A request id that has acted before does not act again: its row is returned.
    Raises PermissionDenied, ValidationError for a missing reason, and whatever the work raises.
    """
    action = ACTIONS[name]
    if not actor.may(action):
        log.warning("action.denied", action=name, actor=actor.name)
        raise PermissionDenied(f"{actor.name} may not {action.words}.")
    if not reason.strip():
        raise ValidationError("Say why, for those who read the audit later.")
    row, is_new = OperatorAction.objects.get_or_create(
        request_id=request_id or uuid.uuid4(),
        defaults={"actor": actor.name, "action": name, "target": target, "reason": reason, "expected": expected},
    )
    if not is_new:
        return row
    log.info("action.started", action=name, actor=actor.name, request_id=str(row.request_id))
    try:
        affected = work()
    except Exception as error:
        row.end(OperatorAction.Result.FAILED, detail=redact(f"{type(error).__name__}: {error}"))
        raise
    row.end(OperatorAction.Result.DONE, affected=affected)
    return row
