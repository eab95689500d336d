"""What a job's process tells its worker's main process beside the job's end: facts that travel with the result."""

from collections.abc import Callable
from contextvars import ContextVar
from typing import Any, Self

_facts: ContextVar[dict[str, Any] | None] = ContextVar("bgjobs_told", default=None)


class Told(str):
    """The text that Celery shows of a result, and what was told of the attempt."""

    facts: dict[str, Any]

    def __new__(cls, text: str, facts: dict[str, Any]) -> Self:
        told = super().__new__(cls, text)
        told.facts = facts
        return told

    def __reduce__(self) -> Any:
        return Told, (str(self), self.facts)


def tell(**facts: Any) -> None:
    """Tell something of the attempt that runs; elsewhere it is not heard."""
    if (told := _facts.get()) is not None:
        told.update(facts)


def told_of(outcome: Any) -> dict[str, Any]:
    """What was told of the attempt that has ended with this text of a result, or this error."""
    if type(outcome) is str:  # nothing was
        return {}
    facts = getattr(outcome, "facts", None)
    return facts if isinstance(facts, dict) else {}


def listening(tracer: Callable[..., Any]) -> Callable[..., Any]:
    """Celery's tracer of a task as one that hands over what was told."""

    def traced(*args: Any, **options: Any) -> Any:
        facts: dict[str, Any] = {}
        token = _facts.set(facts)
        try:
            ended = tracer(*args, **options)
        finally:
            _facts.reset(token)
        return _with(ended, facts) if facts else ended

    return traced


def _with(ended: Any, facts: dict[str, Any]) -> Any:
    error = ended.retval if ended.info else None
    if error is None:
        return ended._replace(retstr=Told(str(ended.retstr), facts))
    error.facts = facts
    return ended
