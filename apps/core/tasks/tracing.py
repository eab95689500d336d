"""Celery's tracer of a task, which runs a job from its arguments to its result, as one that hears what is told."""

from typing import Any, Final

from ..told import listening

PLACE: Final = "_bgjobs_tracer"  # where a task has it


class HeardTracer:
    """The attribute `__trace__` of a task: a worker puts its tracer there and calls what it finds."""

    def __get__(self, task: Any, owner: type | None = None) -> Any:
        return None if task is None else task.__dict__.get(PLACE)

    def __set__(self, task: Any, tracer: Any) -> None:
        task.__dict__[PLACE] = None if tracer is None else listening(tracer)
