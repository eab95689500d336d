"""What may be shown of a job's arguments: those that its task declares sensitive are hidden, wherever they stand.

Pure functions over a task's function. The message itself is never changed.
"""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

HIDDEN: Final = "[hidden]"
SHORTEST_SECRET: Final = 3  # characters; shorter ones would be found in every other text


def masked(
    function: Callable[..., Any], sensitive: Collection[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments with sensitive ones replaced, each as a whole.

    Beside sensitive arguments, one that the function does not take is hidden, too: it may be a misspelt one.
    """
    if not sensitive:
        return tuple(args), dict(kwargs)
    return (
        tuple(HIDDEN if _hides(function, sensitive, place) else value for place, value in enumerate(args)),
        {name: HIDDEN if _hides(function, sensitive, name) else value for name, value in kwargs.items()},
    )


def named(
    function: Callable[..., Any], sensitive: Collection[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The masked arguments by the names of the function's parameters; by their places where these have none."""
    shown, by_name = masked(function, sensitive, args, kwargs)
    names = _positional(function)
    return {(names[place] if place < len(names) else f"[{place}]"): value for place, value in enumerate(shown)} | {
        name if name not in names[: len(shown)] else f"{name} (again)": value for name, value in by_name.items()
    }


def secrets(
    function: Callable[..., Any], sensitive: Collection[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> set[str]:
    """The texts and numbers inside sensitive arguments, for `scrub`."""
    if not sensitive:
        return set()
    hidden = [value for place, value in enumerate(args) if _hides(function, sensitive, place)]
    hidden += [value for name, value in kwargs.items() if _hides(function, sensitive, name)]
    texts = {text for value in hidden for text in _texts(value)}
    return {form for text in texts for form in (text, repr(text)[1:-1]) if len(form) >= SHORTEST_SECRET}


def scrub(text: str, those: Collection[str]) -> str:
    """`text`, such as an error's, without these secrets."""
    for secret in sorted(those, key=len, reverse=True):  # one may contain another
        text = text.replace(secret, HIDDEN)
    return text


def problems(function: Callable[..., Any] | None, sensitive: object, *, skip_self: bool) -> Iterator[str]:
    """What is wrong with a task's `sensitive_args`, in words that name the fix."""
    if not isinstance(sensitive, tuple) or not all(isinstance(name, str) for name in sensitive):
        yield f'sensitive_args must be a tuple of names, as in sensitive_args=("password",), not {sensitive!r}'
        return
    if function is None or not sensitive:
        return
    parameters = list(_signature(function).parameters.values())[1 if skip_self else 0 :]
    if any(one.kind is one.VAR_KEYWORD for one in parameters):
        return
    names = [one.name for one in parameters]
    for name in sensitive:
        if name not in names:
            takes = f"takes {', '.join(names)}" if names else "takes no arguments"
            yield f"sensitive_args names {name!r}, which is no argument of the function: it {takes}"


def _hides(function: Callable[..., Any], sensitive: Collection[str], which: int | str) -> bool:
    parameters = _signature(function).parameters
    if isinstance(which, int):
        names = _positional(function)
        rest = next((one.name for one in parameters.values() if one.kind is one.VAR_POSITIONAL), None)
        name = names[which] if which < len(names) else rest
    else:
        rest = next((one.name for one in parameters.values() if one.kind is one.VAR_KEYWORD), None)
        name = which if which in parameters or which in sensitive else rest
    return name is None or name in sensitive


def _positional(function: Callable[..., Any]) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [one.name for one in _signature(function).parameters.values() if one.kind in kinds]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple | set | frozenset):
        for inner in value:
            yield from _texts(inner)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


@lru_cache(maxsize=1024)
def _signature(function: Callable[..., Any]) -> inspect.Signature:
    return inspect.signature(function)
