"""`make demo`: the main job once, from the timetable to the mail, on a state dir of its own; then it ends."""

import json
import logging
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

from celery import Celery
from rich.console import Console
from rich.table import Table

from intelliwiz_config.pools import POOLS

from . import commands, database, object_store, ports
from .errors import LocalError
from .interruption import end_requests
from .job_events import JobEvents, JobStory
from .output import Terminal
from .stack import Stack
from .state import chosen_state_dir

WIDTH = 120  # columns of what is not shown on a terminal
PATIENCE = 300.0  # seconds for all jobs together, on a slow machine
MAILING = ("send_generated_report_on_mail",)  # entries that need what another one makes


def main() -> None:
    """Ends the process with 1 where a job failed, a row could not be worked on, or a mail did not arrive."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    state_dir = chosen_state_dir() / "demo"
    complaints = ["Interrupted."]
    with end_requests() as requests:
        begin_afresh(state_dir)
        with Stack(state_dir) as stack:
            requests.in_haste = stack.kill
            try:
                complaints = work(stack, console)
            finally:
                requests.begin_ending()
                stack.close()
                stack.discard()
    for complaint in complaints:
        console.print(f"[red]{complaint}[/red]")
    sys.exit(1 if complaints else 0)


def begin_afresh(state_dir: Path) -> None:
    """Each demonstration starts with the same company: what an earlier one has worked off is due again."""
    shutil.rmtree(state_dir, ignore_errors=True)


def work(stack: Stack, console: Console) -> list[str]:
    """Does everything and shows it. Returns what went wrong, one line each."""
    console.print("Starting PostgreSQL, Valkey, a mail catcher and an S3 API …")
    stack.start_servers()
    stack.start_mail()
    port = ports.choose(stack.state_dir, (object_store.NAME,))[object_store.NAME]
    stack.start(object_store.command(port))
    os.environ |= stack.environment | object_store.environment(port) | {"TASK_EVENTS": "1"}
    environment = stack.environment
    database.make_ready(stack.state_dir, Terminal(None))
    logging.getLogger().setLevel(logging.WARNING)
    console.print(f"Starting {len(POOLS)} worker pools …")
    stack.start(*(commands.worker(pool, environment) for pool in POOLS))
    if late := stack.wait_until_ready([pool.name for pool in POOLS], timeout=60):
        raise LocalError(f"{', '.join(late)} did not become ready; see {stack.state_dir}/log")
    with JobEvents(stack.services.broker_url) as events:
        console.print("Firing every entry of the timetable, and once more those that mail what was made …\n")
        object_store.make_bucket(port)
        entries = fire(environment)
        complete = events.wait_for(list(entries), PATIENCE)
        entries |= {fire_again(name): f"{name} (again)" for name in MAILING}
        complete = events.wait_for(list(entries), PATIENCE) and complete
    results = results_of(entries, stack.services.result_url)
    stories = events.descendants(list(entries))
    mails = len(list(stack.mail_dir.glob("*.eml")))
    console.print(table_of(entries, stories, results))
    archived = object_store.sizes(port)
    console.print(reports_made())
    console.print(f"{len(archived)} media files ({sum(archived):,} bytes) are in the S3 bucket, checksums verified")
    console.print(f"{mails} mails were delivered by SMTP; they are in {stack.mail_dir}")
    unfinished = [] if complete else ["Not all jobs ended in time."]
    return [*complaints_about(stories, results, mails), *what_is_left(len(archived)), *unfinished]


def fire(environment: dict[str, str]) -> dict[str, str]:
    """The timetable entry of each job that was fired, by job id. Raises LocalError where one was not."""
    fired = subprocess.run(
        [sys.executable, "-m", "deploy.local.fire_timetable"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    if fired.returncode:
        raise LocalError(f"The timetable could not be fired: {fired.stderr.strip().splitlines()[-1:]}")
    lines = [json.loads(line) for line in fired.stdout.splitlines()]
    return {line["job"]: line["entry"] for line in lines}


def fire_again(entry: str) -> str:
    """Fires one entry by hand, as an operator does. Returns the job's id."""
    from celery import current_app
    from django.utils import timezone

    from apps.core.checks import loaded_tasks
    from apps.core.schedules.fire import fire as fire_entry
    from apps.core.schedules.plan import plans_of

    loaded_tasks()  # they say what queue their jobs go to
    now = timezone.now()
    job = fire_entry(current_app, plans_of(current_app)[entry], due=now, now=now, manual=True)
    if job is None:
        raise LocalError(f"{entry} could not be fired again.")
    return job


def reports_made() -> str:
    """How many reports of which format were made and mailed."""
    from apps.reports.models import GeneratedReport

    sent = GeneratedReport.objects.filter(status=GeneratedReport.Status.SENT).values_list("format", "schedule__type")
    formats = Counter(format_ for format_, _ in sent)
    told = ", ".join(f"{count} {format_}" for format_, count in sorted(formats.items()))
    return f"\nReports of {len({type_ for _, type_ in sent})} types were made and mailed: {told}"


def what_is_left(archived: int) -> Iterator[str]:
    """What the timetable should have done, and has not."""
    from django.conf import settings
    from django.utils import timezone

    from apps.media.models import MediaFile
    from apps.operations.models import Job, JobNeed
    from apps.reports.models import Format, GeneratedReport, ReportSchedule

    combinations = set(product(ReportSchedule.Type.values, Format.values))
    sent = GeneratedReport.objects.filter(status=GeneratedReport.Status.SENT)
    if missing := combinations - set(sent.values_list("schedule__type", "format")):
        yield f"{len(missing)} kinds of reports were not mailed, {'/'.join(min(missing))} among them."
    old = timezone.now() - timedelta(days=settings.MEDIA_KEPT_LOCAL_DAYS)
    moved = MediaFile.objects.filter(location=MediaFile.Location.CLOUD).count()
    if archived != moved or MediaFile.objects.filter(taken_at__lt=old, location=MediaFile.Location.LOCAL).exists():
        yield f"{moved} media files were moved, and {archived} are in the bucket: not all that are due."
    if not JobNeed.objects.filter(job__kind=Job.Kind.PPM, planned_at__gt=timezone.now()).exists():
        yield "No preventive maintenance was planned."


def results_of(jobs: Sequence[str] | dict[str, str], result_url: str) -> dict[str, Any]:
    with Celery(backend=result_url, set_as_current=False) as app:
        return {job: app.AsyncResult(job).result for job in jobs}


def table_of(entries: dict[str, str], stories: list[JobStory], results: dict[str, Any]) -> Table:
    table = Table(title="What the timetable did", title_justify="left")
    for column in ("entry", "queue", "waited", "ran"):
        table.add_column(column, justify="right" if column in ("waited", "ran") else "left", no_wrap=True)
    table.add_column("result", overflow="fold")
    by_id = {story.id: story for story in stories}
    for job, entry in entries.items():
        story = by_id.get(job, JobStory(id=job))
        table.add_row(
            entry, story.queue, seconds(story.waited), seconds(story.ran), in_words(story, results.get(job))
        )
        children = [child for child in stories if child.root == job and child.id != job]
        for task in sorted({child.task for child in children}):
            add_children(table, [child for child in children if child.task == task])
    return table


def add_children(table: Table, jobs: list[JobStory]) -> None:
    """One row for all jobs of one task: the longest wait, the longest run."""
    ends = sorted({job.end or "not ended" for job in jobs})
    counted = ", ".join(f"{sum((job.end or 'not ended') == end for job in jobs)} {end}" for end in ends)
    waited = [job.waited for job in jobs if job.waited is not None]
    ran = [job.ran for job in jobs if job.ran is not None]
    table.add_row(
        f"  → {jobs[0].task} x {len(jobs)}",
        jobs[0].queue,
        f"≤ {seconds(max(waited, default=None))}",
        f"≤ {seconds(max(ran, default=None))}",
        counted,
    )


def in_words(story: JobStory, result: Any) -> str:
    """ "closed 31, tickets 4, mails 22": what a job counted, without its zeros."""
    if story.end != "succeeded" or not isinstance(result, dict):
        return story.end or "not ended"
    counted = [f"{name} {value}" for name, value in result.items() if isinstance(value, int) and value]
    return ", ".join(counted) or "nothing to do"


def seconds(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f} s"


def complaints_about(stories: list[JobStory], results: dict[str, Any], mails: int) -> list[str]:
    bad = [f"{story.task} {story.id} {story.end or 'has not ended'}" for story in stories if story.end != "succeeded"]
    for result in results.values():
        errors = result.get("errors", []) if isinstance(result, dict) else []
        bad.extend(f"row {error['id']}: {error['reason']}" for error in errors)
    senders = sum(story.task.endswith("_email") for story in stories)
    if mails == 0 or mails < senders:
        bad.append(f"{senders} mail jobs ran, but only {mails} mails arrived.")
    return bad
