"""What operations records."""

from .assignee import belongs_to_site
from .job import Job
from .jobneed import ChecklistItem, JobNeed
from .reminder import Reminder

__all__ = ["ChecklistItem", "Job", "JobNeed", "Reminder", "belongs_to_site"]
