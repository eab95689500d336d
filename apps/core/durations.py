"""Spans of time as people write them: 90s, 30m, 2h, 1d, and their sums, as in 1h30m."""

import math
import re
from argparse import ArgumentTypeError
from typing import Final

UNITS: Final = {"d": 86400, "h": 3600, "m": 60, "s": 1}
LONGEST: Final = 366 * 86400
FORM: Final = re.compile(
    r"(?:(\d+(?:\.\d+)?)d)?(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?", re.ASCII
)
EXAMPLES: Final = "write it as in 90s, 30m, 2h, 1d or 1h30m"


def seconds_in(text: str) -> float:
    """The seconds that `text` stands for. Raises ArgumentTypeError, which says how to write it."""
    found = FORM.fullmatch(text.strip().lower())
    if not found or not any(found.groups()):
        unit = " without a unit" if re.fullmatch(r"\d+(\.\d+)?", text.strip(), re.ASCII) else ""
        raise ArgumentTypeError(f"{text!r} is no span of time{unit}; {EXAMPLES}")
    seconds = sum(float(number or 0) * size for number, size in zip(found.groups(), UNITS.values(), strict=True))
    if not 0 < seconds <= LONGEST:
        raise ArgumentTypeError(f"{text!r} is not between a moment and a year; {EXAMPLES}")
    return seconds


def in_words(seconds: float) -> str:
    """A span for people, in its two largest units: 7.4s, 2m 5s, 1h 30m, 3d 4h."""
    if seconds < 10 and seconds != int(seconds):
        return f"{seconds:.1f}s"
    rest, parts = math.floor(seconds), []
    for unit, size in UNITS.items():
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"
