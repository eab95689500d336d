"""The actions that exist: the one table that permissions, commands and the audit share."""

from dataclasses import dataclass
from typing import Final

# Codename, under the app label bgjobs -> what it allows, after "may".
PERMISSIONS: Final = {
    "release_key": "release an idempotency key, so that its job can run again",
    "pause_queue": "pause and resume queues",
    "retry_task": "run again what failed or was set aside",
    "discard_task": "give up for good what failed or was set aside",
    "move_messages": "move messages from and to stock workers",
    "run_schedule": "fire an entry of the timetable at once",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    name: str
    permission: str

    @property
    def words(self) -> str:
        """What it does, after "may"."""
        return PERMISSIONS[self.permission]


ACTIONS: Final = {
    action.name: action
    for action in (
        Action(name="release-key", permission="release_key"),
        Action(name="pause-queue", permission="pause_queue"),
        Action(name="resume-queue", permission="pause_queue"),
        Action(name="restore-quarantined", permission="retry_task"),
        Action(name="replay-dead-letters", permission="retry_task"),
        Action(name="discard-dead-letters", permission="discard_task"),
        Action(name="move-from-stock", permission="move_messages"),
        Action(name="move-to-stock", permission="move_messages"),
        Action(name="fire-entry", permission="run_schedule"),
    )
}
