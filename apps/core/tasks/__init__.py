"""The task base classes: `@shared_task(base=EmailTask, ...)`."""

from .base import (
    BaseTask,
    EmailTask,
    ExternalServiceTask,
    IdempotentTask,
    MaintenanceTask,
    ReportTask,
)
from .batches import BatchResult
from .external_call import ExternalCall

__all__ = [
    "BaseTask",
    "BatchResult",
    "EmailTask",
    "ExternalCall",
    "ExternalServiceTask",
    "IdempotentTask",
    "MaintenanceTask",
    "ReportTask",
]
