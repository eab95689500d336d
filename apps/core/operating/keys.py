"""Releasing idempotency keys."""

from uuid import UUID

from ..actions import Actor, Done
from ..idempotency import records
from ..idempotency.durable import release as release_durable
from ..models import OperatorAction
from .acting import act
from .errors import RefusedError


def release_key(key: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """Forget who holds an idempotency key and what it answers, so that its job can run again."""

    def prepare() -> int:
        if not key or "\0" in key:
            raise RefusedError("Say which key, as in send_mail:global:order_id=7.")
        return 1

    def release() -> Done:
        # The record in the database answers too, and for a durable job it alone is the truth.
        durable = release_durable(key)
        released = max(durable, 0 if records().release(key) is None else 1)
        detail = f"Released {key}." if released else f"Nobody held {key}, and nothing was stored for it."
        return Done(affected=released, detail=detail)

    return act("release-key", release, actor=actor, target=key, reason=reason, request_id=request_id, prepare=prepare)
