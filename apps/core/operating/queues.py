"""Pausing, resuming and purging queues."""

from datetime import UTC, datetime
from uuid import UUID

from ..actions import Actor, Done
from ..broker.orders import PURGED_KEPT
from ..durations import in_words
from ..models import OperatorAction
from .acting import act
from .errors import RefusedError
from .messages import known_queue, messages
from .spans import checked, for_so_long, until


def pause_queue(
    queue: str, *, seconds: float = 0, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Stop all workers from taking jobs of a queue, for `seconds` or, with 0, until it is resumed.

    What they have taken runs on. A pause of a paused queue takes the place of the earlier one.
    """

    def prepare() -> int:
        known_queue(queue)
        if seconds:
            checked(seconds, least=0)
        messages()
        return 1

    def pause() -> Done:
        ends = messages().pause(queue, seconds=seconds, why=f"{actor.name}: {reason}")
        return Done(
            affected=1, detail=f"{queue} is paused {until(datetime.fromtimestamp(ends, UTC) if ends else None)}."
        )

    target = f"{queue}{for_so_long(seconds)}"
    return act(
        "pause-queue", pause, actor=actor, target=target, reason=reason, request_id=request_id, prepare=prepare
    )


def resume_queue(queue: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """End the pause of a queue. One that is not paused says so: nothing is affected."""

    def prepare() -> int:
        known_queue(queue)
        messages()
        return 1

    def resume() -> Done:
        was_paused = messages().resume(queue)
        return Done(
            affected=int(was_paused), detail=f"{queue} goes on." if was_paused else f"{queue} was not paused."
        )

    return act(
        "resume-queue", resume, actor=actor, target=queue, reason=reason, request_id=request_id, prepare=prepare
    )


def purge_queue(
    queue: str, *, typed_name: str, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Set aside all that waits in a queue. What is delayed or in the hands of workers stays.

    `typed_name`: the queue's name once more, as the operator has typed it.
    """

    def prepare() -> int:
        known_queue(queue)
        if typed_name != queue:
            raise RefusedError(f"Type the name of the queue, {queue}, to have all of its waiting jobs set aside.")
        return messages().depths([queue])[queue].ready

    def purge() -> Done:
        count = messages().purge(queue)
        kept = in_words(PURGED_KEPT)
        return Done(affected=count, detail=f"{count} jobs of {queue} are set aside, and can be restored for {kept}.")

    return act("purge-queue", purge, actor=actor, target=queue, reason=reason, request_id=request_id, prepare=prepare)


def restore_purged(queue: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """Bring back what was purged from a queue and is still kept."""

    def prepare() -> None:
        known_queue(queue)
        messages()

    def restore() -> Done:
        count = messages().restore_purged(queue)
        return Done(affected=count, detail=f"{count} jobs are back in {queue}.")

    return act(
        "restore-purged", restore, actor=actor, target=queue, reason=reason, request_id=request_id, prepare=prepare
    )
