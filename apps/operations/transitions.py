"""The state machine of an occurrence: which status may follow which."""

from typing import Final

from apps.core.exceptions import PermanentError

from .models import JobNeed

Status = JobNeed.Status

LEGAL: Final[dict[Status, frozenset[Status]]] = {
    Status.ASSIGNED: frozenset({Status.IN_PROGRESS, Status.COMPLETED, Status.AUTO_CLOSED}),
    Status.IN_PROGRESS: frozenset({Status.PARTIALLY_COMPLETED, Status.COMPLETED, Status.AUTO_CLOSED}),
    Status.PARTIALLY_COMPLETED: frozenset(),
    Status.COMPLETED: frozenset(),
    # Work done in time but reported after the expiry, by a phone that had been out of reach.
    Status.AUTO_CLOSED: frozenset({Status.COMPLETED}),
}


class IllegalTransition(PermanentError):  # noqa: N818 - it reads as what it is
    """An occurrence cannot go from its status to the one that was asked for."""


def require_legal(before: str, after: str) -> None:
    """Raises IllegalTransition unless `after` may follow `before`."""
    if after not in LEGAL[Status(before)]:
        raise IllegalTransition(f"An occurrence that is {before} cannot become {after}.")
