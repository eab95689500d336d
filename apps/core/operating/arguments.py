"""Arguments of jobs as operators type them."""

import json
from typing import Final, NoReturn

from ..dead_letters.original import Arguments
from .errors import RefusedError

LONGEST: Final = 100_000  # characters


def arguments_in(text: str) -> Arguments:
    """A JSON list of arguments, or an object of named ones. Raises RefusedError, which says how to write them."""
    if len(text) > LONGEST:
        raise RefusedError(f"The arguments have more than {LONGEST:,} characters.")
    try:
        value = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"The arguments are not JSON ({error}).") from None
    if isinstance(value, list):
        return value, {}
    if isinstance(value, dict):
        return [], value
    raise RefusedError('Write the arguments as a list, as in [7], or an object of names, as in {"order_id": 7}.')


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")
