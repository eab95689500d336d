"""What may be shown of the arguments of a job, as the task that is deployed here declares it."""

import inspect
from typing import Any, Final

from celery import current_app

from ..logs import redact
from ..masking import HIDDEN, masked, named, scrub, secrets
from .original import Arguments, Original, UnreadableMessageError

LONGEST_SHOWN: Final = 200  # characters of one argument


class WrongArgumentsError(ValueError):
    """The task does not take these arguments."""


def shown(message: bytes) -> dict[str, str] | None:
    """Each argument by its name, as text for people. Those of a task that is not known here are hidden, all of them.

    None where the message cannot be read.
    """
    try:
        original = Original.read(message)
        args, kwargs = original.arguments
    except UnreadableMessageError:
        return None
    task = _task(original.task)
    if task is None:
        return {f"[{place}]": HIDDEN for place in range(len(args))} | dict.fromkeys(kwargs, HIDDEN)
    arguments = named(task.run, _sensitive(task), args, kwargs)
    return {name: _brief(value) for name, value in arguments.items()}


def hide(message: bytes, text: str) -> str:
    """`text`, such as an error's, without the sensitive arguments of the job in this message."""
    try:
        original = Original.read(message)
        task = _task(original.task)
        found = secrets(task.run, _sensitive(task), *original.arguments) if task is not None else ()
    except UnreadableMessageError:
        return redact(text)
    return redact(scrub(text, found))


def shown_to_celery(task_name: str, arguments: Arguments) -> dict[str, str]:
    """The headers out of which Flower and the like show arguments."""
    task = _task(task_name)
    if task is None:
        return {"argsrepr": HIDDEN, "kwargsrepr": HIDDEN}
    args, kwargs = masked(task.run, _sensitive(task), *arguments)
    return {"argsrepr": repr(args), "kwargsrepr": repr(kwargs)}


def check_arguments(task_name: str, arguments: Arguments) -> None:
    """Raises WrongArgumentsError where the task is known here and does not take them."""
    task = _task(task_name)
    if task is None:
        return
    args, kwargs = arguments
    try:
        inspect.signature(task.run).bind(*args, **kwargs)
    except TypeError as error:
        raise WrongArgumentsError(f"{task_name} does not take these arguments: {error}.") from None


def _task(name: str) -> Any:
    """The task of this name; in a process that has not imported it yet, too."""
    tasks: Any = current_app.tasks
    look_up = getattr(current_app, "looked_up", tasks.get)  # which only the engine's own applications have
    return tasks.get(name) or look_up(name)


def _sensitive(task: Any) -> tuple[str, ...]:
    return tuple(getattr(task, "sensitive_args", ()))


def _brief(value: Any) -> str:
    text = value if value == HIDDEN else redact(repr(value))
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
