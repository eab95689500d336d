"""Everything on one machine: embedded servers, mail catcher, web, beat and workers under one supervisor."""

from . import commands
from .command import Command
from .errors import LocalError
from .output import Terminal
from .record import Taken
from .stack import Stack

__all__ = ["Command", "LocalError", "Stack", "Taken", "Terminal", "commands"]
