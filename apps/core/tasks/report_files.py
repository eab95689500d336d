"""The temporary files of a report job: one folder per job, gone when the job ends."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

PREFIX = "bgjobs-report-"

_current: ContextVar["ReportFiles | None"] = ContextVar("bgjobs_report_files", default=None)


class ReportFiles:
    """A folder that is made with the first file and removed with all that is in it."""

    def __init__(self, job_id: str) -> None:
        # The id comes with a message, so it is no file name until it is made one.
        self._name = PREFIX + re.sub(r"[^\w-]", "_", job_id)[:64]
        self._folder: Path | None = None

    @classmethod
    @contextmanager
    def of_job(cls, job_id: str | None) -> Iterator["ReportFiles"]:
        files = cls(job_id or "direct")
        token = _current.set(files)
        try:
            yield files
        finally:
            _current.reset(token)
            files.remove()

    @classmethod
    def current(cls) -> "ReportFiles":
        """The files of the job that runs here. Raises RuntimeError outside a job."""
        files = _current.get()
        if files is None:
            raise RuntimeError("temporary_file() works in a running job only: enqueue the task.")
        return files

    def new(self, suffix: str = "") -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix=f"{self._name}-"))
        handle, name = tempfile.mkstemp(suffix=suffix, dir=self._folder)
        os.close(handle)
        return Path(name)

    def remove(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
