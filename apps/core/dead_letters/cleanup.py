"""How long dead letters are kept."""

from datetime import timedelta
from typing import Final

from django.db.models.functions import Now

from ..conf import engine_settings
from .models import DeadLetter

PORTION: Final = 1000  # rows in one statement


def remove_old() -> int:
    """Remove letters, open or not, whose jobs were given up longer ago than the settings say. Returns how many."""
    kept = timedelta(days=engine_settings().dead_letters_kept_days)
    removed = 0
    while True:
        old = DeadLetter.objects.filter(last_at__lt=Now() - kept).order_by("last_at").values("pk")[:PORTION]
        count, _ = DeadLetter.objects.filter(pk__in=old).delete()
        if not count:
            return removed
        removed += count
