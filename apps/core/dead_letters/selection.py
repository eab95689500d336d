"""Which dead letters somebody means."""

from dataclasses import dataclass, fields
from datetime import datetime

from django.db.models import Q, QuerySet

from ..runs.attempts import jobs_of
from ..runs.query import RunQuery
from .models import DeadLetter


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """All that is given must hold; nothing given means all letters."""

    names: tuple[str, ...] = ()  # ids of letters or of jobs
    task: str | None = None
    queue: str | None = None
    reason: str | None = None
    fingerprint: str | None = None
    tenant: str | None = None
    since: datetime | None = None  # given up at or after
    state: str | None = None
    runs: RunQuery | None = None  # of jobs that have had such a run

    def letters(self) -> QuerySet[DeadLetter]:
        """The latest first."""
        letters = DeadLetter.objects.all()
        if self.names:
            numbers = [int(name) for name in self.names if name.isascii() and name.isdigit() and len(name) < 19]
            letters = letters.filter(Q(pk__in=numbers) | Q(job__in=self.names))
        if self.runs is not None:
            letters = letters.filter(job__in=jobs_of(self.runs))
        if self.since is not None:
            letters = letters.filter(last_at__gte=self.since)
        for field in ("task", "queue", "reason", "fingerprint", "tenant", "state"):
            if (value := getattr(self, field)) is not None:
                letters = letters.filter(**{field: value})
        return letters

    def open_letters(self) -> QuerySet[DeadLetter]:
        return self.letters().filter(state=DeadLetter.State.OPEN)

    def open_ids(self, most: int | None = None) -> list[int]:
        """Of those that are open now, the oldest first. Raises BadQueryError and django.db.Error."""
        return list(self.open_letters().order_by("id").values_list("id", flat=True)[:most])

    def __bool__(self) -> bool:
        return any(getattr(self, field.name) for field in fields(self))

    def __str__(self) -> str:
        """For the audit: "task=send_mail, since=2026-11-24T00:00:00+00:00", or the names, or the query of runs."""
        others = (field.name for field in fields(self) if field.name not in ("names", "runs"))
        parts = [f"{name}={value}" for name in others if (value := getattr(self, name)) is not None]
        return ", ".join([*self.names, *parts, *([str(self.runs)] if self.runs else [])])
