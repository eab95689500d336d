"""Texts from outside, made fit for a file."""

import re
from typing import Final

REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
# What XML 1.0 has no way to write (https://www.w3.org/TR/xml/#charsets), and neither has UTF-8 for lone surrogates.
_REFUSED: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """`text` with the characters that no XML, HTML or spreadsheet may hold as visible replacements."""
    return _REFUSED.sub(REPLACEMENT, text)


def encodable(text: str) -> str:
    """`text` with the characters that UTF-8 cannot write as visible replacements."""
    return _LONE_SURROGATE.sub(REPLACEMENT, text)


def one_line(text: str) -> str:
    return " ".join(readable(text).split())
