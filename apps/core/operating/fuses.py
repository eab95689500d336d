"""Fuses: no job of a task starts while its fuse is out."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from ..actions import Actor, Done
from ..models import OperatorAction
from .acting import act
from .messages import known_task, messages
from .spans import checked, for_so_long, until

SHORTEST: Final = 60.0  # seconds
LONGEST: Final = 86_400.0


def fuse_task(
    task: str, *, seconds: float, actor: Actor, reason: str, request_id: UUID | None = None
) -> OperatorAction:
    """Let no job of a task start for `seconds`: those whose turn it is are parked. What runs runs on."""

    def prepare() -> int:
        known_task(task)
        checked(seconds, least=SHORTEST, most=LONGEST)
        messages()
        return 1

    def fuse() -> Done:
        ends = messages().fuse(task, seconds=seconds, why=f"{actor.name}: {reason}")
        return Done(affected=1, detail=f"No job of {task} starts {until(datetime.fromtimestamp(ends, UTC))}.")

    target = f"{task}{for_so_long(seconds)}"
    return act("fuse-task", fuse, actor=actor, target=target, reason=reason, request_id=request_id, prepare=prepare)


def unfuse_task(task: str, *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """Let the jobs of a task start again, the parked ones at once. The row says how many of those there were."""

    def prepare() -> None:
        if task not in messages().fuses():  # of one that is not deployed any more the fuse may still be out
            known_task(task)

    def unfuse() -> Done:
        store = messages()
        was_fused = task in store.fuses()
        parked = store.unfuse(task)
        if not was_fused and not parked:
            return Done(affected=0, detail=f"{task} was not fused.")
        return Done(affected=parked, detail=f"{task} goes on; {parked} parked jobs with it.")

    return act("unfuse-task", unfuse, actor=actor, target=task, reason=reason, request_id=request_id, prepare=prepare)
