"""What has become of one job so far."""

from typing import Any

from django.db.models import QuerySet

from .models import JobRun
from .query import RunQuery


def attempts(job: str) -> list[JobRun]:
    """Its attempts that have ended, the oldest first. Those that no relay has archived yet are not among them."""
    return list(JobRun.objects.filter(job=job).order_by("ended_at", "id"))


def jobs_of(query: RunQuery) -> QuerySet[JobRun, Any]:
    """Whose runs these are, to be part of another question. Raises BadQueryError."""
    return JobRun.objects.filter(query.condition()).exclude(job="").order_by().values("job")
