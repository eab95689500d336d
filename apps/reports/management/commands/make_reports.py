"""`manage.py make_reports`: make the reports that are due, here and now, and show how far it is."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from apps.core.commands.instants import instant
from apps.reports import due, services
from apps.reports.models import ReportSchedule
from apps.reports.tasks import enqueue_disabled_mail


class Command(BaseCommand):
    help = "Make the reports of all schedules that are due, as the job create_scheduled_reports does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--at", help="What was due at this instant, ISO 8601 with its offset (default: now).")
        parser.add_argument("--schedule", type=int, help="The id of the one schedule to look at (default: all).")

    def handle(self, *, at: str | None, schedule: int | None, **_: Any) -> None:
        now = instant("--at", at)
        if schedule is not None and not ReportSchedule.objects.filter(pk=schedule).exists():
            raise CommandError(f"--schedule: there is no schedule {schedule}.")
        with self._shown() as progress:
            outcome = services.make_due(now=now, tell=enqueue_disabled_mail, progress=progress, only=schedule)
        counts = outcome.counts
        self.stdout.write(
            f"{counts['windows']} windows were due: {counts['generated']} reports made, {counts['failed']} failed, "
            f"{counts['skipped']} skipped."
        )
        for failure in outcome.failed:
            self.stdout.write(f"Schedule {failure['id']}: {failure['reason']}")
        if counts["failed"]:
            raise CommandError("Not all reports could be made.")

    @contextmanager
    def _shown(self) -> Iterator[due.Progress]:
        """A progress bar where somebody watches."""
        if not (self.stdout.isatty() and sys.stdout.isatty()):
            yield lambda done, total, what: None
            return
        columns = (TextColumn("Schedules"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, TextColumn("{task.description}", markup=False)) as bar:
            task = bar.add_task("", total=None)
            yield lambda done, total, what: bar.update(task, completed=done, total=total, description=what)
