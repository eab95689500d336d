"""The parameters of a report as somebody has entered them: a JSON object, of which nothing is taken for granted."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from apps.core.exceptions import PermanentError

LONGEST_SHOWN: Final = 40  # characters of what was entered


class BadReportError(PermanentError):
    """The report cannot be made as its schedule says; the message says what to change."""


def require_known(parameters: Any, *known: str) -> Mapping[str, Any]:
    """The parameters, all of them among `known`. Raises BadReportError."""
    if not isinstance(parameters, Mapping):
        raise BadReportError("The parameters must be a JSON object.")
    for name in parameters:
        if name not in known:
            allowed = f"it has {', '.join(known)}" if known else "it has none"
            raise BadReportError(f"This type of report has no parameter {_shown(name)}; {allowed}.")
    return parameters


def choices(parameters: Mapping[str, Any], name: str, allowed: Iterable[str]) -> list[str]:
    """The values of a parameter that is a list of some of `allowed`; all of them where it is not given.

    Raises BadReportError.
    """
    allowed = [str(one) for one in allowed]
    given = parameters.get(name, allowed)
    if not isinstance(given, list) or not given:
        raise BadReportError(f"The parameter {name} must be a list of some of {', '.join(allowed)}.")
    for value in given:
        if value not in allowed:
            raise BadReportError(f"The parameter {name} cannot be {_shown(value)}; it may be {', '.join(allowed)}.")
    return given


def texts(parameters: Mapping[str, Any], name: str) -> list[str] | None:
    """The values of a parameter that is a list of any texts; None where it is not given. Raises BadReportError."""
    if name not in parameters:
        return None
    given = parameters[name]
    if not isinstance(given, list) or not given or not all(isinstance(value, str) for value in given):
        raise BadReportError(f"The parameter {name} must be a list of texts.")
    if any("\0" in value for value in given):
        raise BadReportError(f"The parameter {name} has a NUL character in it.")
    return given


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
