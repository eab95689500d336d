"""Fires every entry of the timetable once, the way beat does it, and prints each job as a JSON line.

Run in a process of its own, as beat is: python -m deploy.local.fire_timetable
"""

import json
import sys
from typing import Any

from celery.apps.beat import Beat
from celery.signals import after_task_publish

from intelliwiz_config.celery import app


def fire_every_entry() -> None:
    """Applies each entry by the scheduler's own method. Ends the process with 1 where one was not enqueued."""
    beat: Any = Beat(app=app, quiet=True)
    beat.init_loader()
    scheduler = beat.Service(app=app, scheduler_cls=beat.scheduler_cls, schedule_filename=beat.schedule).scheduler
    published: list[str] = []

    def note(headers: dict[str, Any], **_: Any) -> None:
        published.append(headers["id"])

    after_task_publish.connect(note, weak=False)
    unpublished = 0
    for name, entry in scheduler.schedule.items():
        published.clear()
        scheduler.apply_entry(entry)
        unpublished += not published
        for job in published:
            print(json.dumps({"entry": name, "job": job}), flush=True)  # noqa: T201 - what this program is for
    scheduler.close()
    sys.exit(1 if unpublished else 0)


if __name__ == "__main__":
    fire_every_entry()
