"""A task that only workers of the newest version know."""

from celery import shared_task

from apps.core.tasks import BaseTask

from ..workers import see
from .runbook_jobs import NEW


@shared_task(base=BaseTask, name=NEW, queue="ml_training", ignore_result=True)
def new(self: BaseTask) -> None:
    see({"task": NEW, "job": self.request.id})
