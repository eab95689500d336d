"""Quieting and stopping workers, by the names they have for Celery, as in critical@host."""

from typing import Any, Final
from uuid import UUID

from celery import current_app
from django.core.exceptions import ImproperlyConfigured

from ..actions import Actor, Done
from ..broker.configured import broker_client, is_leased
from ..models import OperatorAction
from ..queues import nearest
from .acting import act
from .errors import FailedError, RefusedError
from .messages import messages, queue_names

ANSWER_WITHIN: Final = 2.0  # seconds


def quiet_worker(node: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """Let a worker take no more jobs, of any queue, until it is started anew. What runs runs on."""
    queues: list[str] = []

    def prepare() -> int:
        queues.extend(queues_of(node))
        return len(queues)

    def quiet() -> Done:
        silent = [queue for queue in queues if not _cancel(node, queue)]
        if silent:
            raise FailedError(f"{node} has not confirmed that it takes no more of {', '.join(silent)}.")
        if not queues:
            return Done(affected=0, detail=f"{node} took jobs of no queue already.")
        return Done(affected=len(queues), detail=f"{node} takes no more jobs of {', '.join(queues)}.")

    return act("quiet-worker", quiet, actor=actor, target=node, reason=reason, request_id=request_id, prepare=prepare)


def stop_worker(node: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """End a worker once its running jobs have ended. Whoever watches over it, such as systemd, may start it anew."""

    def prepare() -> int:
        queues_of(node)
        return 1

    def stop() -> Done:
        control: Any = current_app.control
        control.shutdown(destination=[node])
        return Done(affected=1, detail=f"{node} was told to end; it does once its running jobs have ended.")

    return act("stop-worker", stop, actor=actor, target=node, reason=reason, request_id=request_id, prepare=prepare)


def queues_of(node: str) -> list[str]:
    """The queues that a worker takes jobs of, as it says itself.

    Raises RefusedError where there is no such worker, or it does not answer, and redis.RedisError.
    """
    try:
        broker_client().ping()  # else kombu would wait for the server
    except ImproperlyConfigured as error:
        raise RefusedError(str(error)) from None
    control: Any = current_app.control
    answers = control.inspect(destination=[node], timeout=ANSWER_WITHIN).active_queues() or {}
    if node not in answers:
        raise RefusedError(f"No worker {node!r} answers; {_hint(node)}")
    return sorted(queue["name"] for queue in answers[node])


def _hint(node: str) -> str:
    if not is_leased():
        return "which workers there are is unknown under this broker"
    store = messages()
    owners = store.fleet(queue_names()).alive()
    names = {card.node for card in store.cards([owner.name for owner in owners]).values()}
    if node in names:
        return "it is alive, so it is too busy for that, or has no remote control"
    return nearest(node, names) if names else "no worker is known"


def _cancel(node: str, queue: str) -> bool:
    """Whether the worker has confirmed it."""
    control: Any = current_app.control
    replies = control.cancel_consumer(queue, destination=[node], reply=True, timeout=ANSWER_WITHIN)
    return any("ok" in reply.get(node, {}) for reply in replies or ())
