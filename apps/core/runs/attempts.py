"""What has become of one job so far."""

from .models import JobRun


def attempts(job: str) -> list[JobRun]:
    """Its attempts that have ended, the oldest first. Those that no relay has archived yet are not among them."""
    return list(JobRun.objects.filter(job=job).order_by("ended_at", "id"))
