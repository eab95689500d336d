"""Looking through the history, the newest first, in bounded time, and honest about how far that came.

A page is found by the last run of the page before, so that the thousandth costs what the first does.
"""

import re
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from django.db.models import Q, QuerySet

from .models import JobRun
from .patience import TookTooLongError, at_most
from .query import BadQueryError, RunQuery

PATIENCE: Final = 2.0  # seconds that a search may take
# Attempts to find a page in all of the history at once: seconds, and settings of the planner. What is left of the
# time is for going back step by step. Words that are frequent, but in old runs only, the planner looks for among the
# new ones: so it is stopped soon, and made to begin with their index; which takes long for words that are everywhere.
Attempts = tuple[tuple[float, dict[str, str]], ...]
ATTEMPTS: Final[Attempts] = ((1.2, {}),)
ATTEMPTS_FOR_WORDS: Final[Attempts] = ((0.1, {}), (0.4, {"enable_indexscan": "off"}), (0.7, {}))
STEPS: Final = (timedelta(hours=1), timedelta(hours=6), *(timedelta(days=days) for days in (1, 3, 10)))
MOST_ON_A_PAGE: Final = 1000

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CURSOR: Final = re.compile(r"(-?\d{1,17})\.(\d{1,18})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """A place in the history: what comes after it is older. `str` gives what stands in a page's address."""

    ended_at: datetime
    id: int  # 0: none that ended at that moment comes after it

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadQueryError."""
        found = _CURSOR.fullmatch(text)
        try:
            if found:
                return cls(ended_at=_EPOCH + timedelta(microseconds=int(found[1])), id=int(found[2]))
        except OverflowError:
            pass
        raise BadQueryError(f"{text!r} is no place in the history; begin with the first page.")

    @classmethod
    def after(cls, run: JobRun) -> Self:
        return cls(ended_at=run.ended_at, id=run.pk)

    def __str__(self) -> str:
        return f"{(self.ended_at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"

    @property
    def condition(self) -> Q:
        return Q(ended_at__lte=self.ended_at) & (Q(ended_at__lt=self.ended_at) | Q(id__lt=self.id))


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundReached:
    """The search has stopped before it was done."""

    back_to: datetime | None  # all that ended since then was looked at; None: nothing was
    advice: str  # what to write for an answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    runs: tuple[JobRun, ...]  # the newest first
    next: Cursor | None  # there may be more; None: that is all
    bound: BoundReached | None = None  # None: nothing newer than the last of these was overlooked


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many runs there are."""

    number: int
    complete: bool  # False: at least so many


def search(query: RunQuery, *, before: Cursor | None = None, limit: int = 50, now: datetime | None = None) -> Page:
    """A page of the runs that are asked for. Raises BadQueryError and django.db.Error."""
    limit, now = min(limit, MOST_ON_A_PAGE), now or datetime.now(UTC)
    began = time.monotonic()
    runs = _runs(query, before, now)
    found = _at_once(query, runs, limit + 1)
    if found is None:
        start = before.ended_at + timedelta(microseconds=1) if before else now
        return _step_by_step(query, runs, limit, start, began + PATIENCE, now)
    more = len(found) > limit
    return Page(runs=tuple(found[:limit]), next=Cursor.after(found[limit - 1]) if more else None)


def count(query: RunQuery, most: int = 100_000, *, now: datetime | None = None) -> Counted:
    """Counts up to `most`, and no longer than a search may take."""
    runs = _runs(query, None, now or datetime.now(UTC)).order_by()
    try:
        with at_most(PATIENCE):
            number = runs.values("pk")[: most + 1].count()
    except TookTooLongError:
        return Counted(number=0, complete=False)
    return Counted(number=min(number, most), complete=number <= most)


def _runs(query: RunQuery, before: Cursor | None, now: datetime) -> QuerySet[JobRun]:
    runs = JobRun.objects.filter(query.condition(now=now)).defer("terms").order_by("-ended_at", "-id")
    return runs.filter(before.condition) if before else runs


def _at_once(query: RunQuery, runs: QuerySet[JobRun], count: int) -> list[JobRun] | None:
    """None: it takes too long."""
    for seconds, planning in ATTEMPTS_FOR_WORDS if query.arg else ATTEMPTS:
        with suppress(TookTooLongError):
            return _take(runs, count, seconds, **planning)
    return None


def _take(runs: QuerySet[JobRun], count: int, seconds: float, **planning: str) -> list[JobRun]:
    with at_most(seconds, **planning):
        return list(runs[:count])


def _step_by_step(
    query: RunQuery, runs: QuerySet[JobRun], limit: int, start: datetime, deadline: float, now: datetime
) -> Page:
    """Back in time by growing steps until the page is full or the time is up: so it is known what was looked at."""
    found: list[JobRun] = []
    looked_back_to: datetime | None = None
    for lower in _steps(query, start, now):
        part = runs if looked_back_to is None else runs.filter(ended_at__lt=looked_back_to)
        part = part if lower is None else part.filter(ended_at__gte=lower)
        try:
            found += _take(part, limit + 1 - len(found), deadline - time.monotonic())
        except TookTooLongError:
            return Page(
                runs=tuple(found),
                next=Cursor(ended_at=looked_back_to, id=0) if looked_back_to else None,
                bound=BoundReached(back_to=looked_back_to, advice=advice(query)),
            )
        if len(found) > limit:
            return Page(runs=tuple(found[:limit]), next=Cursor.after(found[limit - 1]))
        looked_back_to = lower
    return Page(runs=tuple(found), next=None)


def _steps(query: RunQuery, start: datetime, now: datetime) -> Iterator[datetime | None]:
    """How far to go back, step by step; None: to the beginning."""
    since, until = query.bounds(now)
    start = min(start, until) if until else start
    yield from (start - step for step in STEPS if since is None or start - step > since)
    yield None


def advice(query: RunQuery) -> str:
    """What would narrow it."""
    missing = [
        text
        for given, text in (
            (query.since, "a time (since:2h)"),
            (query.task, "a task (task:…)"),
            (query.tenant, "a tenant (tenant:…)"),
        )
        if not given
    ]
    return f"Add {' or '.join(missing)}." if missing else "Choose a shorter time."
