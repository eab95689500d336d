"""What a test before has seen is not what this one sees."""

import pytest


@pytest.fixture(autouse=True)
def nothing_seen_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """No look that is shared for a second, nothing that was known last, no token that was accepted."""
    from django.core.cache import caches

    from apps.monitoring import broker_trouble, looking
    from apps.monitoring.tokens import checking
    from apps.monitoring.tokens.recent import RecentUses

    looking.forget()
    broker_trouble.forget()
    caches["last_known"].clear()
    monkeypatch.setattr(checking, "recent", RecentUses())
