"""When the breaker of a service opens, and for how long."""

import math
from dataclasses import dataclass

from ..conf import engine_settings
from ..exceptions import DeclarationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The thresholds of one service. Raises DeclarationError where they cannot work."""

    failures: int = 5  # in a row that open it
    open_for: float = 300.0  # seconds without a call; then one is let through as a probe

    def __post_init__(self) -> None:
        if self.failures < 1:
            raise DeclarationError(f"A breaker needs failures >= 1, not {self.failures!r}")
        if not 0 < self.open_for < math.inf:
            raise DeclarationError(f"A breaker needs open_for above 0 seconds, not {self.open_for!r}")


def options_of(service: str) -> Breaker:
    """What the settings say of `service`, else the defaults."""
    return engine_settings().breakers.get(service) or Breaker()
