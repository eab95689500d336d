"""How long firings are kept."""

from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from ..conf import engine_settings
from .models import Firing

PORTION: Final = 1000  # rows in one statement


def remove_old() -> int:
    """Remove firings, however they ended, that were due longer ago than the settings say. Returns how many."""
    kept = timedelta(days=engine_settings().firings_kept_days)
    removed = 0
    while True:
        old = Firing.objects.filter(due__lt=Now() - kept).order_by("due").values("pk")[:PORTION]
        count, _ = Firing.objects.filter(pk__in=old).delete()
        if not count:
            return removed
        removed += count
