"""The engine's tables."""

from .actions.models import OperatorAction
from .idempotency.models import IdempotencyRecord
from .outbox.models import OutboxMessage

__all__ = ["IdempotencyRecord", "OperatorAction", "OutboxMessage"]
