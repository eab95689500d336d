"""The schedules that are due, and their windows, one after the other."""

import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Q, QuerySet
from psycopg.errors import SerializationFailure

from apps.core.logs import get_logger, redact

from .making import make_report, record_failed, snapshot
from .models import ReportSchedule
from .types import BadReportError
from .windows import BadRhythmError, due, sending_time

log = get_logger(__name__)

BATCH: Final = 200  # schedules that one selecting query names
MOST_FAILURES: Final = 3  # in a row; then the schedule is disabled
MAX_LISTED: Final = 100  # failures listed one by one; further ones are counted

Progress = Callable[[int, int, str], None]  # schedules done, schedules in all, what is being made


@dataclass(frozen=True, slots=True, kw_only=True)
class Disabled:
    """A schedule that has failed too often."""

    schedule_id: int
    tenant_id: int
    at: datetime
    reason: str  # of its last failure


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What became of one window, or of a schedule that has none."""

    counts: Counter[str] = field(default_factory=Counter)
    failure: str = ""
    has_more: bool = False  # windows of the same schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    counts: Counter[str]  # of windows: those that were due, and of these generated, skipped and failed
    failed: list[dict[str, Any]]  # {"id", "reason"}, by schedule; MAX_LISTED at most
    resume_after: int | None  # the id of the schedule to go on behind; None when nothing is left


def make_due(
    *,
    now: datetime,
    tell: Callable[[Disabled], None],
    budget_seconds: float = float("inf"),
    progress: Progress = lambda done, total, what: None,
    after: int = 0,
    only: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Outcome:
    """Make the reports of every enabled schedule of an active tenant with `next_run_at <= now`, one at least.

    Each report is made in a transaction of its own, which also moves its schedule on. `tell` is called in the
    transaction that disables a schedule, and must do nothing that outlives a rollback. `only`: the id of the one
    schedule to look at. Raises OperationalError and InterfaceError, which are no fault of a report.
    """
    counts: Counter[str] = Counter()
    failed: list[dict[str, Any]] = []
    deadline = clock() + budget_seconds
    total = _due(now, after, only).count()
    for done, schedule_id in enumerate(_ids(now, after, only)):
        has_more = True
        while has_more:
            shown = _Shown(progress=progress, done=done, total=max(total, done), what=f"schedule {schedule_id}")
            step = make_next(schedule_id, now=now, tell=tell, progress=shown.rows)
            counts += step.counts
            if step.failure and len(failed) < MAX_LISTED:
                failed.append({"id": schedule_id, "reason": step.failure})
            has_more = step.has_more
            if clock() >= deadline:
                resume_after = schedule_id - 1 if has_more else schedule_id
                return Outcome(counts=counts, failed=failed, resume_after=resume_after)
    progress(total, total, "")
    return Outcome(counts=counts, failed=failed, resume_after=None)


def make_next(
    schedule_id: int, *, now: datetime, tell: Callable[[Disabled], None], progress: Callable[[int, int], None]
) -> Step:
    """Make the report about the oldest window of a schedule that is due, or write down why there is none."""
    try:
        with snapshot():
            schedule = _lock(schedule_id, now)
            return _make(schedule, now, progress) if schedule else Step()
    except SoftTimeLimitExceeded:
        connection.close()  # it may have been interrupted in the middle of a query
        reason = "It took too long; choose fewer rows: one site, or shorter windows."
    except (OperationalError, InterfaceError) as error:
        if isinstance(error.__cause__, SerializationFailure):
            return Step()  # another worker has moved it on since the snapshot
        raise
    except OSError as error:
        # The disk's fault, not the schedule's, which stays as it is: the next firing tries again.
        reason = f"The file could not be written ({type(error).__name__}); it is tried again."
        log.error("report.not_written", schedule_id=schedule_id, error=type(error).__name__, errno=error.errno)
        return Step(counts=Counter(["failed", "windows"]), failure=reason)
    except (BadReportError, BadRhythmError) as error:
        reason = redact(str(error))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one report must not stop the others
        # Its text may quote what is in the rows.
        log.error("report.not_made", schedule_id=schedule_id, error=type(error).__name__, where=_where(error))
        reason = f"It could not be made ({type(error).__name__})."
    return _fail(schedule_id, reason, now, tell)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """How far it is, for who looks on."""

    progress: Progress
    done: int
    total: int
    what: str

    def rows(self, rows_done: int, rows: int) -> None:
        self.progress(self.done, self.total, f"{self.what}: {rows_done} of {rows} rows")


def _due(now: datetime, after: int, only: int | None) -> QuerySet[ReportSchedule]:
    # One without a time has a rhythm that could not be read when it was saved.
    is_due = Q(next_run_at__lte=now) | Q(next_run_at=None)
    schedules = ReportSchedule.objects.filter(is_due, enabled=True, tenant__is_active=True, pk__gt=after)
    return schedules if only is None else schedules.filter(pk=only)


def _ids(now: datetime, after: int, only: int | None) -> Iterator[int]:
    while batch := list(_due(now, after, only).order_by("pk").values_list("pk", flat=True)[:BATCH]):
        yield from batch
        after = batch[-1]


def _lock(schedule_id: int, now: datetime) -> ReportSchedule | None:
    """The schedule, where it is still due and in nobody else's hands. Rows that name it may be written meanwhile."""
    return (
        _due(now, 0, schedule_id)
        .select_for_update(skip_locked=True, no_key=True, of=("self",))
        .select_related("tenant", "site")
        .first()
    )


def _make(schedule: ReportSchedule, now: datetime, progress: Callable[[int, int], None]) -> Step:
    rhythm = schedule.rhythm
    found = due(rhythm, next_run_at=schedule.next_run_at or now, now=now)
    if not found.windows:  # the rhythm is another one than when the time was written
        _move(schedule, next_run_at=rhythm.next_end(now))
        return Step()
    window = found.windows[0]
    # What is made late is not also to be late when it is mailed.
    send_at = max(sending_time(window, send_at=schedule.send_at, zone=rhythm.zone), now)
    report = make_report(schedule, window, send_at=send_at, now=now, progress=progress, skipped=found.skipped)
    _move(schedule, next_run_at=rhythm.next_end(window.end), last_window_end=window.end, failures=0)
    counts = _counts(schedule, found.skipped, "generated" if report else "")
    return Step(counts=counts, has_more=len(found.windows) > 1)


def _fail(schedule_id: int, reason: str, now: datetime, tell: Callable[[Disabled], None]) -> Step:
    with transaction.atomic():
        schedule = _lock(schedule_id, now)
        return _write_failure(schedule, reason, now, tell) if schedule else Step()


def _write_failure(schedule: ReportSchedule, reason: str, now: datetime, tell: Callable[[Disabled], None]) -> Step:
    """Write down that a report cannot be made, and move on: to make it again would be in vain."""
    failures = schedule.failures + 1
    written: dict[str, Any] = {"failures": failures, "enabled": failures < MOST_FAILURES}
    skipped, windows = 0, 0
    try:
        rhythm = schedule.rhythm
    except BadRhythmError:
        pass  # there is no window that it could be about
    else:
        found = due(rhythm, next_run_at=schedule.next_run_at or now, now=now)
        skipped, windows = found.skipped, len(found.windows)
        if windows:
            window = found.windows[0]
            record_failed(schedule, window, reason=reason, now=now)
            written["next_run_at"] = rhythm.next_end(window.end)
    _move(schedule, **written)
    log.warning("report.failed", schedule_id=schedule.pk, failures=failures)
    if not written["enabled"]:
        tell(Disabled(schedule_id=schedule.pk, tenant_id=schedule.tenant_id, at=now, reason=reason))
    has_more = windows > 1 and bool(written["enabled"])
    return Step(counts=_counts(schedule, skipped, "failed"), failure=reason, has_more=has_more)


def _where(error: Exception) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]


def _move(schedule: ReportSchedule, **fields: Any) -> None:
    ReportSchedule.objects.filter(pk=schedule.pk).update(**fields)


def _counts(schedule: ReportSchedule, skipped: int, what: str) -> Counter[str]:
    if skipped:
        log.warning("report.windows_skipped", schedule_id=schedule.pk, skipped=skipped)
    counts = Counter({"windows": 1 + skipped, "skipped": skipped})
    if what:
        counts[what] += 1
    return counts
