"""The files of reports: below REPORTS_ROOT, a folder for each tenant and in it one for each schedule."""

import hashlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Final

from django.conf import settings

from apps.core.exceptions import PermanentError

from .models import GeneratedReport

# What is being written. A process that dies leaves it behind, and the clean-up finds it by this.
UNFINISHED: Final = ".part"


class NoSuchPlaceError(PermanentError):
    """The report's file is not in the folder of its tenant, or there is none; make the report again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file that is complete and on the disk."""

    file: str  # its path below REPORTS_ROOT
    sha256: str
    size: int  # bytes


def root() -> Path:
    """The folder of all reports, which may be a link itself."""
    return Path(settings.REPORTS_ROOT).resolve()


def path_of(report: GeneratedReport) -> Path:
    """Where a report's file is, or would be if it has been removed.

    Raises NoSuchPlaceError where that is not in the folder of the report's tenant: an absolute path, `..`, a symbolic
    link at any place below the root, another tenant's folder; or where the report has no file.
    """
    relative = PurePosixPath(report.file)
    tenant_folder = str(report.schedule.tenant_id)
    is_below = len(relative.parts) > 1 and relative.parts[0] == tenant_folder and ".." not in relative.parts
    if "\0" in report.file or not is_below:
        raise NoSuchPlaceError
    path = root() / relative
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        raise NoSuchPlaceError from error
    if resolved != path:
        raise NoSuchPlaceError
    return path


def remove(report: GeneratedReport) -> bool:
    """Remove a report's file, if it has one. Returns whether there was one. Raises NoSuchPlaceError, OSError."""
    if not report.file:
        return False
    path = path_of(report)
    existed = path.exists()
    path.unlink(missing_ok=True)
    return existed


def write(
    *, tenant_id: int, schedule_id: int, window_end: datetime, suffix: str, fill: Callable[[Path], None]
) -> Written:
    """Have `fill` write a new file, and give it its name when all of it is on the disk.

    No name is ever given twice, so that a process which was taken for dead never overwrites what another one has made
    since. What `fill` raises is passed on, and then there is no file.
    """
    folder = root() / str(tenant_id) / str(schedule_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    final = folder / f"{window_end.astimezone(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}{suffix}"
    unfinished = final.with_name(final.name + UNFINISHED)
    try:
        unfinished.touch(mode=0o600, exist_ok=False)
        fill(unfinished)
        sha256, size = _on_disk(unfinished)
        unfinished.rename(final)
    except BaseException:  # also a time limit
        unfinished.unlink(missing_ok=True)
        raise
    _sync(folder)
    return Written(file=final.relative_to(root()).as_posix(), sha256=sha256, size=size)


def _on_disk(path: Path) -> tuple[str, int]:
    """Wait until the file is on the disk. Returns its SHA-256 and its size."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        digest = hashlib.file_digest(file, "sha256")
        return digest.hexdigest(), file.tell()


def _sync(folder: Path) -> None:
    """So that the new name outlives a power cut, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
