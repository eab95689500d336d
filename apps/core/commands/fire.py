"""`manage.py jobs fire ENTRY --reason WHY`"""

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from celery import current_app
from django.core.management.base import BaseCommand, CommandError
from kombu.exceptions import EncodeError

from ..exceptions import BackgroundJobsError
from ..queues import nearest
from ..schedules.fire import fire
from ..schedules.plan import plans_of
from .actors import act, add_actor_arguments, named_actor

NAME = "fire"
HELP = "fire an entry of the timetable now, whenever it is due"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("entry", metavar="ENTRY", help="its name in the timetable")
    add_actor_arguments(parser)


def run(command: BaseCommand, *, entry: str, reason: str, as_user: str | None, **_: Any) -> None:
    """Raises CommandError for an unknown entry, without permission or a reason, and for a job that is refused."""
    plans = plans_of(current_app)
    if entry not in plans:
        raise CommandError(f"The timetable has no entry {entry!r}; {nearest(entry, plans)}")
    jobs: list[str] = []

    def work() -> int:
        now = datetime.now(UTC)
        if job := fire(current_app, plans[entry], due=now, now=now, manual=True):
            jobs.append(job)
        return len(jobs)

    try:
        act("fire-entry", work, actor=named_actor(as_user), target=entry, reason=reason, expected=1)
    except (BackgroundJobsError, EncodeError) as error:
        raise CommandError(f"{entry} was not fired: {error}") from None
    command.stdout.write(
        f"Fired {entry}: job {jobs[0]}." if jobs else f"{entry} has a job with the same key, which waits or runs."
    )
