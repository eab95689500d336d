"""The actions that exist: the one table that permissions, commands, pages and the audit share."""

from dataclasses import dataclass
from typing import Final

# Codename, under the app label bgjobs -> what it allows, after "may".
PERMISSIONS: Final = {
    "release_key": "release an idempotency key, so that its job can run again",
    "pause_queue": "pause and resume queues",
    "purge_queue": "set aside all that waits in a queue, and bring it back",
    "retry_task": "run again what failed or was set aside",
    "discard_task": "give up for good what failed or was set aside, and revoke jobs",
    "fuse_task": "keep all jobs of a task from starting for a while",
    "run_schedule": "fire, pause and resume entries of the timetable",
    "control_worker": "let workers take no more jobs, and stop them",
    "view_task_args": "see the arguments of jobs unmasked",
    "move_messages": "move messages from and to stock workers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    name: str
    permission: str
    command: str  # the subcommand of `manage.py jobs` that does it

    @property
    def words(self) -> str:
        """What it does, after "may"."""
        return PERMISSIONS[self.permission]


ACTIONS: Final = {
    action.name: action
    for action in (
        Action(name="release-key", permission="release_key", command="release-key"),
        Action(name="pause-queue", permission="pause_queue", command="pause"),
        Action(name="resume-queue", permission="pause_queue", command="resume"),
        Action(name="purge-queue", permission="purge_queue", command="purge"),
        Action(name="restore-purged", permission="purge_queue", command="restore"),
        Action(name="restore-quarantined", permission="retry_task", command="quarantine"),
        Action(name="replay-dead-letters", permission="retry_task", command="retry"),
        Action(name="discard-dead-letters", permission="discard_task", command="discard"),
        Action(name="revoke-jobs", permission="discard_task", command="revoke"),
        Action(name="reveal-arguments", permission="view_task_args", command="reveal"),
        Action(name="fuse-task", permission="fuse_task", command="fuse"),
        Action(name="unfuse-task", permission="fuse_task", command="unfuse"),
        Action(name="fire-entry", permission="run_schedule", command="fire"),
        Action(name="pause-entry", permission="run_schedule", command="pause-entry"),
        Action(name="resume-entry", permission="run_schedule", command="resume-entry"),
        Action(name="quiet-worker", permission="control_worker", command="quiet"),
        Action(name="stop-worker", permission="control_worker", command="stop"),
        Action(name="move-from-stock", permission="move_messages", command="migrate"),
        Action(name="move-to-stock", permission="move_messages", command="migrate"),
    )
}
