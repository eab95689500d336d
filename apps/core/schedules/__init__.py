"""When periodic jobs are due, and that each is fired exactly once. See docs/timetable.md."""

from .entry import Entry
from .every import Every, every

__all__ = ["Entry", "Every", "every"]
