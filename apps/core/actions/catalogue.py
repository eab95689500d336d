"""The actions that exist: the one table that permissions, commands and the audit share."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    name: str
    permission: str  # codename, under the app label bgjobs
    words: str  # what it does, after "may"


ACTIONS: Final = {
    action.name: action
    for action in (
        Action(
            name="release-key",
            permission="release_key",
            words="release an idempotency key, so that its job can run again",
        ),
    )
}
