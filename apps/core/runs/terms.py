"""The words and numbers by which runs are found: of the arguments that people see, so never of hidden ones."""

import re
from typing import Final

LONGEST: Final = 60  # characters; of longer ones the beginning counts
MOST: Final = 50  # different ones of a run: the first

_TERM: Final = re.compile(r"[\w.-]+")


def terms_of(*texts: str) -> list[str]:
    """Each once, in small letters, in the order in which they stand."""
    found: dict[str, None] = {}
    for text in texts:
        for term in _TERM.findall(text.lower()):
            if stripped := term.strip(".-")[:LONGEST]:
                found[stripped] = None
                if len(found) == MOST:
                    return list(found)
    return list(found)
