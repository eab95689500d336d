"""The mail about work that was not done in time."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils.timesince import timeuntil

from apps.core.mail import OutgoingMail, message_id, valid_addresses
from apps.organization.local_time import in_zone
from apps.organization.models import Person

from .models import JobNeed

Status = JobNeed.Status


def job_expiry_mail(
    jobneed_id: int, *, closed_at: datetime, ticket_number: str | None, escalates_at: datetime | None
) -> OutgoingMail | None:
    """The mail about an occurrence that was closed at `closed_at`.

    None where there is nobody to tell any more, or the work has meanwhile been reported as done. Raises
    JobNeed.DoesNotExist for an occurrence that is gone.
    """
    jobneed = _read(jobneed_id)
    recipients = _recipients(jobneed)
    if jobneed.status == Status.COMPLETED or not recipients:
        return None
    lines = [*_facts(jobneed), *_ticket_facts(jobneed, closed_at, ticket_number, escalates_at)]
    return OutgoingMail(
        to=recipients,
        subject=_one_line(f"{_what_happened(jobneed)}: {jobneed.job.name} at {jobneed.site.name}"),
        body="\n".join([f"{_what_happened(jobneed)}, so it has been closed.", "", *lines, ""]),
        message_id=message_id(jobneed.site.tenant_id, jobneed.pk, "auto_close"),
    )


def _read(jobneed_id: int) -> Any:
    done = Count("checkpoints", filter=Q(checkpoints__status=Status.COMPLETED))
    return (
        JobNeed.objects.select_related("job", "site", "asset", "assignee_person", "assignee_group")
        .annotate(checkpoint_count=Count("checkpoints"), checkpoints_done=done)
        .get(pk=jobneed_id)
    )


def _recipients(jobneed: JobNeed) -> tuple[str, ...]:
    admins = Person.objects.filter(tenant=jobneed.site.tenant_id, is_active=True, is_tenant_admin=True).order_by("pk")
    return valid_addresses([*jobneed.site.in_charge, *admins.values_list("email", flat=True)])


def _what_happened(jobneed: JobNeed) -> str:
    return "Only partly done in time" if jobneed.status == Status.PARTIALLY_COMPLETED else "Not done in time"


def _facts(jobneed: Any) -> Iterator[str]:
    zone = jobneed.site.zone
    yield f"Job: {jobneed.job.name}"
    yield f"Site: {jobneed.site}"
    if jobneed.asset:
        yield f"Asset: {jobneed.asset}"
    yield f"Assigned to: {jobneed.assignee_person or jobneed.assignee_group}"
    yield f"Planned: {in_zone(jobneed.planned_at, zone)}"
    yield f"Expired: {in_zone(jobneed.expires_at, zone)}"
    if jobneed.checkpoint_count:
        yield f"Checkpoints: {jobneed.checkpoints_done} of {jobneed.checkpoint_count} completed"


def _ticket_facts(
    jobneed: JobNeed, closed_at: datetime, number: str | None, escalates_at: datetime | None
) -> Iterator[str]:
    if number is None:
        return
    yield f"Ticket: {number}"
    if escalates_at is None:
        yield "Next escalation: none"
    else:
        delay = timeuntil(escalates_at, closed_at).replace("\xa0", " ")
        yield f"Next escalation: {in_zone(escalates_at, jobneed.site.zone)}, {delay} after the ticket was raised"


def _one_line(text: str) -> str:
    return " ".join(text.split())
