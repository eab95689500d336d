"""A module with one bad task among good ones."""

from celery import shared_task

from apps.core.tasks import BaseTask


@shared_task(base=BaseTask, name="test.good")
def good() -> None: ...


@shared_task(base=BaseTask, name="test.bad", max_retry=3)
def bad() -> None: ...
