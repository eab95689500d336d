"""The mail about a schedule that has been disabled because its reports kept failing."""

from apps.core.mail import OutgoingMail, message_id, valid_addresses
from apps.organization.models import Person

from .models import ReportSchedule


def disabled_mail(schedule_id: int, *, at: str, reason: str) -> OutgoingMail | None:
    """The mail to the schedule's owner, or to the tenant's admins where the owner cannot be told.

    `at` is the instant of the job that disabled it. None where there is nobody to tell, or the schedule is enabled
    again. Raises ReportSchedule.DoesNotExist.
    """
    schedule = ReportSchedule.objects.select_related("owner", "tenant").get(pk=schedule_id)
    recipients = _recipients(schedule)
    if schedule.enabled or not recipients:
        return None
    name = " ".join(schedule.name.split())
    return OutgoingMail(
        to=recipients,
        subject=f"Reports are no longer made: {name}",
        body="\n".join(
            [
                f"The report could not be made {schedule.failures} times in a row, so its schedule is disabled.",
                "",
                f"Schedule: {name}",
                f"Type: {schedule.get_type_display()}",
                f"Reason: {reason}",
                "",
                "Correct the schedule and enable it again. Reports go on with the next window that ends then.",
                "",
            ]
        ),
        message_id=message_id(schedule.tenant_id, schedule.pk, "disabled", at),
    )


def _recipients(schedule: ReportSchedule) -> tuple[str, ...]:
    owner = schedule.owner
    if owner is not None and owner.is_active and owner.tenant_id == schedule.tenant_id:
        told = valid_addresses([owner.email])
        if told:
            return told
    admins = Person.objects.filter(tenant=schedule.tenant_id, is_active=True, is_tenant_admin=True).order_by("pk")
    return valid_addresses(admins.values_list("email", flat=True))
