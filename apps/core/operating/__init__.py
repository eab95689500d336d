"""What operators do to the fleet: one function for each action, which pages and commands share.

Each takes `actor`, `reason` and `request_id`, writes a row of the audit before it begins, and returns it; a request
that is made again returns the row of the first. Before that it raises PermissionDenied, ValidationError without a
reason, and RefusedError where it cannot be done, and there is no row; after it FailedError.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from .errors import FailedError, OperatingError, RefusedError
from .fuses import fuse_task, unfuse_task
from .jobs import reveal_arguments, revoke_jobs
from .keys import release_key
from .letters import count_letters, discard_letters, edit_and_retry, retry_letters
from .quarantine import restore_quarantined
from .queues import pause_queue, purge_queue, restore_purged, resume_queue
from .schedules import fire_entry, pause_entry, resume_entry
from .stock import move_from_stock, move_to_stock
from .workers import quiet_worker, stop_worker

# Each function by the name of its action in ACTIONS. To edit and retry is to retry.
SERVICES: Final[Mapping[str, Callable[..., Any]]] = {
    "release-key": release_key,
    "pause-queue": pause_queue,
    "resume-queue": resume_queue,
    "purge-queue": purge_queue,
    "restore-purged": restore_purged,
    "restore-quarantined": restore_quarantined,
    "replay-dead-letters": retry_letters,
    "discard-dead-letters": discard_letters,
    "revoke-jobs": revoke_jobs,
    "reveal-arguments": reveal_arguments,
    "fuse-task": fuse_task,
    "unfuse-task": unfuse_task,
    "fire-entry": fire_entry,
    "pause-entry": pause_entry,
    "resume-entry": resume_entry,
    "quiet-worker": quiet_worker,
    "stop-worker": stop_worker,
    "move-from-stock": move_from_stock,
    "move-to-stock": move_to_stock,
}

__all__ = [
    "SERVICES",
    "FailedError",
    "OperatingError",
    "RefusedError",
    "count_letters",
    "discard_letters",
    "edit_and_retry",
    "fire_entry",
    "fuse_task",
    "move_from_stock",
    "move_to_stock",
    "pause_entry",
    "pause_queue",
    "purge_queue",
    "quiet_worker",
    "release_key",
    "restore_purged",
    "restore_quarantined",
    "resume_entry",
    "resume_queue",
    "retry_letters",
    "reveal_arguments",
    "revoke_jobs",
    "stop_worker",
    "unfuse_task",
]
