"""Settings that a task makes at the top of its body: `self.idempotency_ttl = 3600`.

They are read from the function's bytecode when the task is declared, because the body runs after the claim that they
are about, and because a task is one object per process: what one job assigns, the next would find.
"""

import dis
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

PREFIX: Final = "idempotency_"

_SILENT: Final = frozenset({"RESUME", "NOP", "CACHE", "COPY_FREE_VARS", "MAKE_CELL", "NOT_TAKEN", "EXTENDED_ARG"})
_CONSTANT: Final = frozenset({"LOAD_CONST", "LOAD_SMALL_INT", "LOAD_CONST_IMMORTAL"})
_VARIABLE: Final = frozenset({"LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_FAST_CHECK", "LOAD_DEREF"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BodySettings:
    values: dict[str, Any]  # what the leading statements assign
    problems: list[str]  # assignments that cannot be honoured


def body_settings(function: Callable[..., Any]) -> BodySettings:
    """The `self.idempotency_*` settings of a task's body; nothing for a callable without bytecode."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    if code is None or code.co_argcount == 0 or code.co_varnames[0] != "self":
        return BodySettings(values={}, problems=[])
    instructions = [one for one in dis.get_instructions(code) if one.opname not in _SILENT]
    values: dict[str, Any] = {}
    position = 0
    while (found := _assignment(instructions[position : position + 3])) is not None:
        name, value = found
        if name.startswith(PREFIX):
            values[name] = value
        position += 3
    return BodySettings(values=values, problems=list(_later_assignments(instructions[position:])))


def _assignment(three: list[dis.Instruction]) -> tuple[str, Any] | None:
    """The name and value of `self.name = literal`, if that is what these instructions do."""
    if len(three) < 3:
        return None
    constant, variable, store = three
    if constant.opname in _CONSTANT and _is_self(variable) and store.opname == "STORE_ATTR":
        return str(store.argval), constant.argval
    return None


def _later_assignments(instructions: list[dis.Instruction]) -> Iterator[str]:
    for before, one in pairwise(instructions):
        if one.opname == "STORE_ATTR" and str(one.argval).startswith(PREFIX) and _is_self(before):
            option = str(one.argval)
            yield (
                f"self.{option} is not a literal at the top of the body, so it would come too late; "
                f"write it as a number or text in the first lines, or as an option: "
                f"@shared_task(base=..., {option}=...)"
            )


def _is_self(instruction: dis.Instruction) -> bool:
    # Newer Pythons load two variables in one instruction; the last one is the object.
    names = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
    known = instruction.opname in _VARIABLE or instruction.opname.startswith("LOAD_FAST")
    return known and names[-1] == "self"
