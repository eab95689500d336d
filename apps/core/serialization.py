"""Types of arguments and results that Celery's JSON does not know by itself."""

from datetime import timedelta
from typing import Any

from kombu.utils.json import register_type


def register_types() -> None:
    """Let sets and timedeltas travel in messages. Registering twice has no further effect."""
    register_type(set, "set", list, _members)
    register_type(frozenset, "frozenset", list, lambda members: frozenset(_members(members)))
    register_type(timedelta, "timedelta", _microseconds, lambda number: timedelta(microseconds=number))


def _members(members: list[Any]) -> set[Any]:
    """JSON has made lists of the tuples in a set."""
    return {_hashable(member) for member in members}


def _hashable(value: Any) -> Any:
    return tuple(_hashable(member) for member in value) if isinstance(value, list) else value


def _microseconds(value: timedelta) -> int:
    return value // timedelta(microseconds=1)
