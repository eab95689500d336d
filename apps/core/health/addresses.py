"""Where the dashboard shows what a problem is about."""

from typing import Final

from ..conf import engine_settings
from .problem import Problem

# By what a code begins with: the page, below the dashboard's own.
PAGES: Final = (
    ("queue_", "queues/{queue}/"),
    ("sla_", "queues/{queue}/"),
    ("beat_", "schedules/"),
    ("firings_", "schedules/"),
    ("entry_", "schedules/"),
    ("dead_letters_", "failures/"),
    ("failure_", "failures/"),
    ("task_", "failures/"),
    ("no_workers", "workers/"),
    ("owner_", "workers/"),
)


def url_of(problem: Problem) -> str | None:
    """The path on this site; None where the settings name no dashboard."""
    dashboard = engine_settings().dashboard
    if dashboard is None:
        return None
    page = next((page for start, page in PAGES if problem.code.startswith(start)), "")
    return dashboard + page.format(queue=problem.queue)
