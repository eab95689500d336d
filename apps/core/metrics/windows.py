"""Spans of time that people look at."""

from enum import StrEnum
from typing import Final


class Window(StrEnum):
    """The time until now."""

    M5 = "5m"
    H1 = "1h"
    H24 = "24h"
    H72 = "72h"
    D30 = "30d"

    @property
    def seconds(self) -> int:
        return _SECONDS[self]


_SECONDS: Final = {
    Window.M5: 300,
    Window.H1: 3600,
    Window.H24: 24 * 3600,
    Window.H72: 72 * 3600,
    Window.D30: 30 * 86400,
}
