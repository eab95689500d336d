"""Everything that is known of one job, and what follows from it: its whole life, and why it is not running."""

from .events import Event, events
from .facts import Progress, Story, Working, is_known
from .telling import QUICK, Patience, tell
from .verdict import verdict

__all__ = ["QUICK", "Event", "Patience", "Progress", "Story", "Working", "events", "is_known", "tell", "verdict"]
