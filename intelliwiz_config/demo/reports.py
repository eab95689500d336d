"""Demonstration reports: every type in every format, shared out among the tenants, each due once."""

from datetime import datetime, time
from itertools import product
from typing import Final

from apps.organization.models import Person, Site, Tenant
from apps.reports.models import Format, ReportSchedule
from apps.reports.windows import Rhythm

Type = ReportSchedule.Type

NAMES: Final = {
    Type.TASK_SUMMARY: "Tasks",
    Type.TOUR_SUMMARY: "Patrols",
    Type.PPM_SUMMARY: "Maintenance",
    Type.TICKET_LIST: "Tickets",
    Type.TICKET_SLA: "Service levels",
    Type.ASSET_STATUS: "Equipment",
    Type.SITE_VISIT: "Site visits",
}
# How often a report of each format comes: in words, its cron, and its working days.
RHYTHMS: Final = {
    Format.PDF: ("of the month", "0 0 1 * *", None),
    Format.XLSX: ("of the month", "0 0 1 * *", None),
    Format.CSV: ("of the week", "0 0 * * 1", None),
    Format.HTML: ("of the working week", "", 5),
    Format.JSON: ("of the day", "0 0 * * *", None),
}


def make_schedules(tenant: Tenant, site: Site, number: int, tenants: int, now: datetime) -> None:
    """Tenant `number` of so many: its share of the schedules, in the zone of its first site."""
    admin = Person.objects.filter(tenant=tenant, is_tenant_admin=True).order_by("pk")[0]
    for type_, format_ in list(product(Type, Format))[number::tenants]:
        words, cron, working_days = RHYTHMS[format_]
        rhythm = Rhythm(cron=cron, timezone=site.timezone, working_days=working_days)
        ReportSchedule.objects.create(
            tenant=tenant,
            owner=admin,
            type=type_,
            name=f"{NAMES[type_]} {words}",
            cron=cron or "0 0 * * 6",
            timezone=site.timezone,
            working_days=working_days,
            send_at=time(0, 0),
            to=[admin.email],
            cc=site.in_charge,
            format=format_,
            next_run_at=next(rhythm.ends_until(now)),
        )
