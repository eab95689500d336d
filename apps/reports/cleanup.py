"""Removing reports that are old, and files that belong to none.

A file goes before its row: where a process dies between the two, the row is still there, and the next run finds it.
Files without a row are what a process has left that died while it made a report, or whose schedule was deleted.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from apps.core.logs import get_logger

from . import files
from .models import GeneratedReport

log = get_logger(__name__)

Status = GeneratedReport.Status

PORTION: Final = 500  # reports whose rows go in one statement
# Longer than the hard time limit of a job: until then a file without a row may be that of a report in the making.
ORPHAN_AGE: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    reports: int  # rows
    files: int  # of these
    orphans: int  # files without a row
    failed: int  # files that could not be removed; their rows stay, and they are tried again


def clean_up(*, now: datetime, kept: timedelta) -> Cleaned:
    """Remove what was made before `now - kept` and is not to be mailed any more, and orphans of a day."""
    reports = removed = failed = after = 0
    while portion := _old(now - kept, after):
        after = portion[-1].pk
        gone = []
        for report in portion:
            try:
                removed += files.remove(report)
            except files.NoSuchPlaceError:
                log.warning("report.file_elsewhere", report_id=report.pk)  # what is not ours we leave alone
            except OSError as error:
                failed += 1
                log.error("report.not_removed", report_id=report.pk, errno=error.errno)
                continue
            gone.append(report.pk)
        reports += GeneratedReport.objects.filter(pk__in=gone).exclude(status__in=GeneratedReport.WAITING).delete()[0]
    return Cleaned(reports=reports, files=removed, orphans=remove_orphans(now=now), failed=failed)


def remove_orphans(*, now: datetime) -> int:
    """Remove files that no row names, and folders with nothing in them, if they are a day old."""
    until = (now - ORPHAN_AGE).timestamp()
    count = 0
    for folder in _folders_of_schedules():
        # Files first: a row that is written in between has a file that is younger than a day.
        found = [entry for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
        old = [entry for entry in found if entry.stat(follow_symlinks=False).st_mtime < until]
        if old:
            known = set(GeneratedReport.objects.filter(schedule_id=int(folder.name)).values_list("file", flat=True))
            for entry in old:
                if f"{folder.parent.name}/{folder.name}/{entry.name}" not in known:
                    Path(entry.path).unlink(missing_ok=True)
                    count += 1
        if len(old) == len(found) and folder.stat().st_mtime < until:
            _remove_if_empty(folder)
    return count


def _old(before: datetime, after: int) -> list[GeneratedReport]:
    old = GeneratedReport.objects.exclude(status__in=GeneratedReport.WAITING).filter(created_at__lt=before)
    return list(old.filter(pk__gt=after).select_related("schedule").order_by("pk")[:PORTION])


def _folders_of_schedules() -> Iterator[Path]:
    """Folders that have the names we give. What else is there is not ours."""
    for tenant in _numbered(files.root()):
        yield from _numbered(tenant)


def _numbered(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in sorted(folder.iterdir()):
            if path.name.isascii() and path.name.isdigit() and path.is_dir() and not path.is_symlink():
                yield path


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return  # something has come into it
