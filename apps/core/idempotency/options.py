"""The options of an idempotent task, and what must hold of them."""

from collections.abc import Iterator
from typing import Any, Final, Literal

from ..queues import nearest
from .key import SCOPES

OnDuplicate = Literal["skip", "wait", "raise"]
OnStoreDown = Literal["run", "refuse", "database"]

ON_DUPLICATE: Final[tuple[OnDuplicate, ...]] = ("skip", "wait", "raise")
ON_STORE_DOWN: Final[tuple[OnStoreDown, ...]] = ("run", "refuse", "database")

_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "idempotency_scope": SCOPES,
    "on_duplicate": ON_DUPLICATE,
    "on_store_down": ON_STORE_DOWN,
}


def problems(task: Any) -> Iterator[str]:
    """What is wrong with the idempotency options of a task class."""
    for option, choices in _CHOICES.items():
        value = getattr(task, option)
        if value not in choices:
            yield f"{option} cannot be {value!r}; {nearest(str(value), choices)}"
    for option in ("durable", "unique_on_enqueue"):
        value = getattr(task, option)
        if not isinstance(value, bool):
            yield f"{option} must be True or False, not {value!r}"
        elif value and not task.idempotent:
            yield f"{option} needs idempotent=True: a job is known again by its key"
    if task.on_store_down == "database" and not task.durable:
        yield 'on_store_down="database" needs durable=True: only durable jobs have a record in the database'
    for option in ("idempotency_ttl", "idempotency_failure_ttl"):
        value = getattr(task, option)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            yield f"{option} must be a number of seconds above 0, not {value!r}"
    key = task.__dict__.get("idempotency_key")
    if key is not None and not callable(key) and not (isinstance(key, str) and key):
        yield f"idempotency_key must be text, or a function of the task's arguments that gives text, not {key!r}"
