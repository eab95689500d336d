"""What operators do to the fleet: with a permission, a reason, and a row that stays."""

from .actor import Actor
from .catalogue import ACTIONS, Action
from .service import Done, perform, permit

__all__ = ["ACTIONS", "Action", "Actor", "Done", "perform", "permit"]
