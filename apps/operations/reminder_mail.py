"""The mail that reminds people of work before it is due."""

from collections.abc import Iterator

from django.db.models import Q

from apps.core.mail import OutgoingMail, message_id, valid_addresses
from apps.organization.local_time import in_zone
from apps.organization.models import Person

from .models import JobNeed, Reminder


def reminder_mail(reminder: Reminder) -> OutgoingMail | None:
    """The mail to the assignee, or to every member of the group; None where none of them can be reached.

    Only active people of the site's own tenant are told.
    """
    jobneed = reminder.jobneed
    recipients = _recipients(jobneed)
    if not recipients:
        return None
    planned = in_zone(jobneed.planned_at, jobneed.site.zone)
    return OutgoingMail(
        to=recipients,
        subject=_one_line(f"Reminder: {jobneed.job.name} at {jobneed.site.name}, {planned}"),
        body="\n".join([*_facts(jobneed, planned), ""]),
        message_id=message_id(jobneed.site.tenant_id, jobneed.pk, "reminder", reminder.remind_at.timestamp()),
    )


def _recipients(jobneed: JobNeed) -> tuple[str, ...]:
    assigned = Q(pk=jobneed.assignee_person_id)
    if jobneed.assignee_group_id is not None:
        assigned = Q(groups=jobneed.assignee_group_id)
    people = Person.objects.filter(assigned, tenant=jobneed.site.tenant_id, is_active=True).order_by("pk")
    return valid_addresses(people.values_list("email", flat=True))


def _facts(jobneed: JobNeed, planned: str) -> Iterator[str]:
    yield f"Job: {jobneed.job.name}"
    yield f"Site: {jobneed.site}"
    if jobneed.asset:
        yield f"Asset: {jobneed.asset}"
    yield f"Assigned to: {jobneed.assignee_person or jobneed.assignee_group}"
    yield f"Planned: {planned}"
    yield f"To be done before: {in_zone(jobneed.expires_at, jobneed.site.zone)}"
    if checkpoints := jobneed.checkpoints.count():
        yield f"Checkpoints: {checkpoints}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
