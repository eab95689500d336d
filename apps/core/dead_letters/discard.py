"""Giving dead letters up: they stay, and are not replayed any more."""

from django.db.models.functions import Now

from .models import DeadLetter
from .portions import portions, still_open
from .selection import Selection


def discard(selection: Selection) -> int:
    """Returns how many of these were open. One that is just being replayed is waited for, and stays replayed."""
    closed = {"state": DeadLetter.State.DISCARDED, "closed_at": Now()}
    return sum(still_open(portion).update(**closed) for portion in portions(selection.open_ids()))
