"""The engine's tables."""

from .actions.models import OperatorAction
from .dead_letters.models import DeadLetter
from .idempotency.models import IdempotencyRecord
from .outbox.models import OutboxMessage
from .runs.models import JobRun
from .schedules.models import Firing, ScheduleState

__all__ = ["DeadLetter", "Firing", "IdempotencyRecord", "JobRun", "OperatorAction", "OutboxMessage", "ScheduleState"]
