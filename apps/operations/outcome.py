"""What becomes of an occurrence that nobody finished in time: the rule, without the database."""

from collections.abc import Sequence

from .models import JobNeed

Status = JobNeed.Status


def outcome_of(status: str, checkpoints: Sequence[str], checklist: Sequence[bool]) -> Status:
    """The final status of an open occurrence.

    `checkpoints` are the statuses of its checkpoints, `checklist` says of each line of its own checklist whether it
    is done. Work begun that has neither shows nothing for itself, and counts as not done.
    """
    completed = checkpoints.count(Status.COMPLETED)
    if status != Status.IN_PROGRESS:
        return Status.AUTO_CLOSED
    if 0 < completed < len(checkpoints):
        return Status.PARTIALLY_COMPLETED
    if completed == len(checkpoints) and all(checklist) and (checkpoints or checklist):
        return Status.COMPLETED
    return Status.AUTO_CLOSED
