"""Who acts."""

import getpass
from dataclasses import dataclass
from typing import Any

from .catalogue import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    name: str  # a user name, or "cli:<user of the operating system>"
    user: Any = None  # whose permissions count; None for somebody with a shell, who needs none

    @classmethod
    def on_command_line(cls) -> "Actor":
        return cls(name=f"cli:{getpass.getuser()}")

    @classmethod
    def of(cls, user: Any) -> "Actor":
        return cls(name=user.get_username(), user=user)

    def may(self, action: Action) -> bool:
        return self.user is None or bool(self.user.has_perm(f"bgjobs.{action.permission}"))
