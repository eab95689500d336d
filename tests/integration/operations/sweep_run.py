from typing import Any

from apps.operations.services import ExpiryNotice, auto_close

from .company import NOW


class SweepRun:
    """One run of the sweep, and the notices that it handed over."""

    def __init__(self, **options: Any) -> None:
        self.notices: list[ExpiryNotice] = []
        self.outcome = auto_close(**{"now": NOW, "tell": self.notices.append, "budget_seconds": 1000, **options})
        self.counts = dict(self.outcome.counts)
