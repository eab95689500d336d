"""Reports that could not be mailed in time: they are not mailed any more, and that is told."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import transaction

from apps.core.logs import get_logger
from apps.core.mail import OutgoingMail, valid_addresses
from apps.organization.models import Person

from .claims import LATEST
from .mail_text import expiry_mail
from .models import GeneratedReport

log = get_logger(__name__)

BATCH: Final = 100  # reports of one tenant in one transaction, which one mail tells of
REASON: Final = "It could not be mailed within 12 hours."
_Status = GeneratedReport.Status


def expire(*, now: datetime, tell: Callable[[int, list[int]], None]) -> int:
    """Expire what waits for longer than 12 hours, of active tenants. Returns how many.

    `tell(tenant_id, report_ids)` is called in the transaction that expires these reports.
    """
    late = GeneratedReport.objects.filter(status=_Status.READY, send_at__lt=now - LATEST)
    tenants = late.filter(schedule__tenant__is_active=True).values_list("schedule__tenant_id", flat=True)
    count = 0
    for tenant_id in sorted(set(tenants)):
        of_tenant = late.filter(schedule__tenant_id=tenant_id).order_by("pk")
        while True:
            with transaction.atomic():
                locked = of_tenant.select_for_update(skip_locked=True, of=("self",))
                ids = list(locked.values_list("pk", flat=True)[:BATCH])
                if not ids:
                    break
                GeneratedReport.objects.filter(pk__in=ids).update(status=_Status.EXPIRED, reason=REASON)
                tell(tenant_id, ids)
            log.error("report.expired", tenant_id=tenant_id, report_ids=ids)
            count += len(ids)
    return count


def mail_about_expired(tenant_id: int, report_ids: list[int]) -> OutgoingMail | None:
    """The mail to the tenant's admins and the schedules' owners; None where there is nobody to tell."""
    found = GeneratedReport.objects.filter(pk__in=report_ids, schedule__tenant_id=tenant_id, status=_Status.EXPIRED)
    reports = list(found.select_related("schedule").order_by("pk"))
    people = Person.objects.filter(tenant_id=tenant_id, is_active=True)
    owners = people.filter(report_schedules__reports__in=[report.pk for report in reports])
    addresses = people.filter(is_tenant_admin=True).union(owners).order_by("pk").values_list("email", flat=True)
    to = valid_addresses(addresses)
    if not reports or not to:
        log.warning("report.nobody_to_tell", count=len(reports))
        return None
    return expiry_mail(tenant_id, reports, to)
