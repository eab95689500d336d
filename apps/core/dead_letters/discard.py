"""Giving dead letters up: they stay, and are not replayed any more."""

from django.db.models.functions import Now

from .models import DeadLetter
from .selection import Selection


def discard(selection: Selection) -> int:
    """Returns how many of these were open. One that is just being replayed is waited for, and stays replayed."""
    return selection.open_letters().update(state=DeadLetter.State.DISCARDED, closed_at=Now())
