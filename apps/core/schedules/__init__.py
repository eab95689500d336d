"""When periodic jobs are due."""

from .entry import Entry

__all__ = ["Entry"]
