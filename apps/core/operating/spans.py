"""How long something is to last, as operators ask for it."""

import math
from datetime import datetime

from ..durations import LONGEST, in_words
from .errors import RefusedError


def checked(seconds: float, *, least: float, most: float = LONGEST) -> float:
    """Raises RefusedError."""
    if not least <= seconds <= most:
        raise RefusedError(f"It must last between {in_words(least)} and {in_words(most)}.")
    return seconds


def for_so_long(seconds: float) -> str:
    """After a target: " for 30m"; nothing for what has no end."""
    if not math.isfinite(seconds):
        return f" for {seconds} seconds"  # which is about to be refused
    return f" for {in_words(seconds)}" if seconds else ""


def until(moment: datetime | None) -> str:
    """The end of a pause, in a sentence."""
    return "until it is resumed" if moment is None else f"until {moment:%Y-%m-%dT%H:%M:%SZ}"
