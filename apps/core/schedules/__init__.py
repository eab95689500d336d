"""When periodic jobs are due, and that each is fired exactly once. See docs/timetable.md."""

from .candidates import any_offset, daily
from .entry import Entry
from .every import Every, every

__all__ = ["Entry", "Every", "any_offset", "daily", "every"]
