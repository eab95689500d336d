"""The jobs of a run: a durable one that moves an amount, and its child, which is durable or plain."""

import time
from typing import Any, Final
from uuid import UUID

from celery import shared_task

from apps.core.tasks import BaseTask, IdempotentTask

from .. import journal
from . import ledger

# Without time limits, which a pool of threads cannot enforce. Whatever befalls a job, it is tried again: this run is
# about what is lost or done twice, not about when to give up.
OPTIONS: Final[dict[str, Any]] = {
    "ignore_result": True,
    "soft_time_limit": None,
    "time_limit": None,
    "max_retries": 1000,
    "default_retry_delay": 0.5,
    "retry_backoff_max": 2,
    "max_process_deaths": 1000,
    "max_deliveries": 1000,
}


@shared_task(base=IdempotentTask, name="chaos.transfer", durable=True, **OPTIONS)
def transfer(
    self: IdempotentTask, number: int, source: str, target: str, amount: str, seconds: float, durable_child: bool
) -> None:
    journal.write("start", UUID(self.request.id).int)
    time.sleep(seconds)
    ledger.move(source, target, amount)
    child = (receipt if durable_child else notice).delay(self.request.id)
    ledger.note_transfer(self.request.id, number, child.id, durable_child=durable_child)


@shared_task(base=IdempotentTask, name="chaos.receipt", durable=True, queue="high_priority", **OPTIONS)
def receipt(self: IdempotentTask, parent: str) -> None:
    ledger.note_child(self.request.id, parent)


@shared_task(base=BaseTask, name="chaos.notice", queue="high_priority", **OPTIONS)
def notice(self: BaseTask, parent: str) -> None:
    ledger.note_child(self.request.id, parent)
