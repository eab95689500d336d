"""Forgetting old firings."""

from datetime import datetime
from typing import Final

from .models import Firing

PORTION: Final = 1000  # rows in one statement


def delete_firings_before(moment: datetime) -> int:
    """Delete the firings that were due before `moment`, a portion at a time. Returns how many there were."""
    deleted = 0
    while portion := list(
        Firing.objects.filter(due__lt=moment).order_by("due").values_list("pk", flat=True)[:PORTION]
    ):
        deleted += Firing.objects.filter(pk__in=portion).delete()[0]
    return deleted
