"""Open dead letters in `manage.py jobs status`."""

from collections.abc import Iterator
from typing import Any

from django.db import Error as DatabaseError
from django.db.models import Count

from ..broker.problems import Problem
from ..dead_letters.models import DeadLetter

GivenUp = dict[str, int] | None  # open letters by reason, the most first; None: not known


def read_given_up() -> GivenUp:
    """None where the database does not answer."""
    found = DeadLetter.objects.filter(state=DeadLetter.State.OPEN).values_list("reason").annotate(count=Count("pk"))
    try:
        return dict(found.order_by("-count", "reason"))
    except DatabaseError:
        return None


def given_up_facts(seen: GivenUp) -> dict[str, Any] | None:
    """For machines."""
    return None if seen is None else {"open": sum(seen.values()), "by_reason": seen}


def given_up_problems(seen: GivenUp) -> Iterator[Problem]:
    if seen:
        reasons = ", ".join(f"{count} {reason}" for reason, count in seen.items())
        yield Problem(
            code="dead_letters_open",
            severity="warning",
            message=f"{sum(seen.values())} jobs were given up: {reasons}",
            hint="manage.py jobs dead-letters --group says why; then jobs retry or jobs discard, with --fingerprint.",
        )
