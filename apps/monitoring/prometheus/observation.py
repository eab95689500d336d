"""What a scrape is made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from apps.core.health.snapshot import Snapshot
from apps.core.metrics.numbers import Numbers


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """None: not known, and then there is no line of it."""

    snapshot: Snapshot
    totals: Numbers | None  # since counting began
    operator_actions: Mapping[tuple[str, str], int] | None  # (action, result) -> how many
    up: Mapping[str, bool]  # source -> whether it could be read
    last_success: datetime | None  # when all sources could
