"""How actions reach the messages on the broker, and name its queues."""

from typing import Any

from celery import current_app
from django.core.exceptions import ImproperlyConfigured

from ..broker.configured import configured_store
from ..broker.store import MessageStore
from ..exceptions import UnknownQueueError
from ..queues import QUEUES, nearest, queue_named
from .errors import RefusedError


def messages() -> MessageStore:
    """Raises RefusedError where the broker is no leased one."""
    try:
        return configured_store()
    except ImproperlyConfigured as error:
        raise RefusedError(str(error)) from None


def known_queue(name: str) -> str:
    """Raises RefusedError, which names the nearest queue."""
    try:
        return queue_named(name).name
    except UnknownQueueError as error:
        raise RefusedError(str(error)) from None


def known_task(name: str) -> str:
    """Raises RefusedError, which names the nearest task."""
    tasks: Any = current_app.tasks
    look_up = getattr(current_app, "looked_up", tasks.get)  # which only the engine's own applications have
    if name not in tasks and look_up(name) is None:
        names = [task for task in tasks if not task.startswith("celery.")]
        raise RefusedError(f"There is no task {name!r}; {nearest(name, names)}")
    return name


def queue_names() -> list[str]:
    return [queue.name for queue in QUEUES]
