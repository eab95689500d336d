"""How long rows are kept: those that are too old go, a portion at a time."""

from datetime import timedelta
from typing import Any, Final

from django.db.models import QuerySet
from django.db.models.functions import Now

PORTION: Final = 1000  # rows in one statement


def days_ago(days: float) -> Any:
    """That moment, by the database's clock."""
    return Now() - timedelta(days=days)


def remove(old: QuerySet[Any]) -> int:
    """Remove these rows, each portion in a transaction of its own. Returns how many."""
    removed = 0
    while True:
        portion = old.order_by("pk").values("pk")[:PORTION]
        count, _ = old.model._default_manager.filter(pk__in=portion).delete()  # noqa: SLF001 - Django's documented way
        if not count:
            return removed
        removed += count
