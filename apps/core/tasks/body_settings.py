"""Taking the settings that a task makes in its body for options of its declaration."""

from typing import Any

from ..idempotency import body_settings


def take_body_settings(task: type[Any]) -> None:
    """Set the leading `self.idempotency_*` literals of the body as options; note what cannot be one."""
    function = _body(task)
    if function is None:
        return
    found = body_settings(function)
    problems = list(found.problems)
    for option, value in found.values.items():
        if task.__dict__.get(option, value) != value:
            problems.append(f"{option} is {task.__dict__[option]!r} as an option and {value!r} in the body; keep one")
        elif option in task.__dict__ or hasattr(task, option):
            setattr(task, option, value)
        else:
            problems.append(f"the body sets self.{option}, which is no option; see docs/idempotency.md")
    task._body_problems = problems  # noqa: SLF001 - read by the class's own declaration_problems


def _body(task: type[Any]) -> Any:
    if not task.__dict__.get("_decorated"):
        return None
    run = task.__dict__.get("run")
    return run.__func__ if isinstance(run, staticmethod) else run
