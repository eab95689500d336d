"""Texts that a spreadsheet would take for formulas (CWE-1236, OWASP "CSV Injection").

A CSV has no types: whoever opens it in a spreadsheet has each field guessed at, and one that starts with = + - @ is
calculated, be it a name that somebody chose to reach a manager's computer. An apostrophe before it makes it text.
"""

import re
from collections.abc import Iterator
from typing import Final

_STARTS: Final = "=+\\-@\uff1d\uff0b\uff0d\uff20"  # with the full-width forms, which some programs take for the same
# What programs skip, or do not show, in front.
_SKIPPED: Final = "\\s\"'\\x00-\\x1f\\x7f\u00ad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufffd"
_STARTER: Final = re.compile(f"[{_STARTS}]")
_PART: Final = re.compile(
    f"(?P<skipped>[{_SKIPPED}]+)|(?P<start>[{_STARTS}])|(?P<separator>;)|[^{_SKIPPED}{_STARTS};]+"
)


def neutralised(text: str) -> str:
    """`text` with an apostrophe at each place at which a formula could begin.

    That is the first visible character, and the first behind a semicolon, a tab or a line break: a program that
    splits at these (in many countries Excel takes semicolons) sees another field begin there.
    """
    safe = "".join(_guarded(text)) if _STARTER.search(text) else text
    return f"'{safe}" if safe.startswith(("\t", "\r", "\n")) else safe


def _guarded(text: str) -> Iterator[str]:
    begins = True
    for part in _PART.finditer(text):
        if part["start"] and begins:
            yield "'"
        if part["skipped"]:
            begins = begins or any(mark in part["skipped"] for mark in "\t\r\n")
        else:
            begins = part["separator"] is not None
        yield part.group()
