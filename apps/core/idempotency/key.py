"""The key of a job: what makes two jobs the same."""

import hashlib
import inspect
import json
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

from ..context import JobContext
from ..exceptions import IdempotencyKeyError

Scope = Literal["global", "user", "tenant"]
SCOPES: tuple[Scope, ...] = ("global", "user", "tenant")
LONGEST_EXPLICIT_KEY = 200  # characters; longer ones are hashed

_MISSING_SCOPE = {
    "tenant": "enqueue it where a tenant is known, as in `with context.using(tenant_id=tenant.pk): task.delay()`",
    "user": "enqueue it where a user is known, as in `with context.using(user_id=user.pk): task.delay()`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """How the keys of one task are made."""

    task: str  # the task's name
    function: Callable[..., Any]  # its body, for the names and defaults of its arguments
    scope: Scope
    explicit: str | Callable[..., str] | None  # given by the task's author, instead of the arguments


def job_key(rule: KeyRule, args: tuple[Any, ...], kwargs: Mapping[str, Any], context: JobContext) -> str:
    """ "auto_close_jobs:global:firing=2026-11-23T12:12:00+00:00": task, scope and what tells its jobs apart.

    Arguments are bound to the function's parameters first, so f(1), f(x=1) and f(1, y=default) are one job. A job of
    the timetable has its firing in its key. Raises IdempotencyKeyError for an argument that has no canonical form,
    for a missing tenant or user, and for an explicit key that is not text.
    """
    if rule.explicit is not None:
        distinct = f"key={_explicit(rule, args, kwargs)}"
    else:
        bound = _bound(rule, args, kwargs)
        distinct = f"args={_digest(canonical(bound, rule.task))}" if bound else "once"
        if context.firing is not None:
            distinct = f"firing={context.firing}" + (f",{distinct}" if bound else "")
    return f"{rule.task}:{_scope_with_id(rule, context)}:{distinct}"


def canonical(value: Any, task: str = "") -> str:
    """JSON text that is the same for equal values in any process, and different for different ones.

    Tuples equal lists and dict keys equal their JSON text, because that is what they are once a message was read.
    Raises IdempotencyKeyError.
    """
    try:
        return json.dumps(_tagged(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        where = f"Task {task!r}" if task else "The value"
        raise IdempotencyKeyError(f"{where} cannot be given an idempotency key: {error}") from None


def _tagged(value: Any) -> Any:
    """Plain scalars as they are; everything else as a list that starts with its kind, so that kinds never collide."""
    if isinstance(value, Enum):
        value = value.value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value + 0.0  # -0.0 equals 0.0
    if isinstance(value, str):
        return unicodedata.normalize("NFC", value)
    if isinstance(value, list | tuple):
        return ["list", *map(_tagged, value)]
    if isinstance(value, Mapping):
        return ["dict", *_tagged_items(value)]
    if isinstance(value, set | frozenset):
        members = [json.dumps(_tagged(member), ensure_ascii=False) for member in value]
        return ["set", *sorted(members)]
    return _tagged_scalar(value)


def _tagged_items(value: Mapping[Any, Any]) -> list[Any]:
    items = sorted((_dict_key(key), member) for key, member in _unambiguous(value).items())
    return [[key, _tagged(member)] for key, member in items]


def _unambiguous(value: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {_dict_key(key): member for key, member in value.items()}
    if len(texts) != len(value):
        raise TypeError("a dict has two keys that are the same text in JSON")
    return texts


def _dict_key(key: Any) -> str:
    if isinstance(key, str):
        return unicodedata.normalize("NFC", key)
    if key is None or isinstance(key, bool | int | float):
        return json.dumps(key)
    raise TypeError(f"a dict key is of type {type(key).__name__}; use text")


def _tagged_scalar(value: Any) -> list[str]:
    if isinstance(value, datetime):
        moment = value.astimezone(UTC) if value.tzinfo else value
        return ["datetime", moment.isoformat()]
    if isinstance(value, date | time):
        return [type(value).__name__, value.isoformat()]
    if isinstance(value, timedelta):
        return ["timedelta", str(value // timedelta(microseconds=1))]
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise TypeError(f"the Decimal {value} is no number")
        return ["decimal", str(value.normalize() + 0)]
    if isinstance(value, UUID):
        return ["uuid", value.hex]
    if isinstance(value, bytes | bytearray | memoryview):
        return ["bytes", bytes(value).hex()]
    raise TypeError(
        f"an argument of type {type(value).__name__} has no canonical form; pass an id or plain data instead"
    )


def _bound(rule: KeyRule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    try:
        bound = _signature(rule.function).bind(*args, **kwargs)
    except TypeError as error:
        raise IdempotencyKeyError(f"Task {rule.task!r} does not take these arguments: {error}") from None
    bound.apply_defaults()
    return bound.arguments


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)


def _explicit(rule: KeyRule, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    key = rule.explicit(*args, **kwargs) if callable(rule.explicit) else rule.explicit
    if not isinstance(key, str) or not key:
        raise IdempotencyKeyError(f"Task {rule.task!r}: idempotency_key must give text, not {type(key).__name__}")
    return key if len(key) <= LONGEST_EXPLICIT_KEY else f"sha256-{_digest(key)}"


def _scope_with_id(rule: KeyRule, context: JobContext) -> str:
    if rule.scope == "global":
        return "global"
    scope_id = context.tenant_id if rule.scope == "tenant" else context.user_id
    if scope_id is None:
        raise IdempotencyKeyError(
            f"Task {rule.task!r} is idempotent within its {rule.scope}, and this job has none: "
            f"{_MISSING_SCOPE[rule.scope]}, or declare idempotency_scope='global'."
        )
    return f"{rule.scope}={scope_id}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
