"""Letters by the hundred: so many are dealt with in one transaction."""

from collections.abc import Iterator, Sequence
from typing import Final

from django.db.models import QuerySet

from .models import DeadLetter

PORTION: Final = 500


def portions(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    yield from (ids[place : place + PORTION] for place in range(0, len(ids), PORTION))


def still_open(ids: Sequence[int]) -> QuerySet[DeadLetter]:
    """Somebody else may have closed some of them meanwhile."""
    return DeadLetter.objects.filter(pk__in=ids, state=DeadLetter.State.OPEN)
