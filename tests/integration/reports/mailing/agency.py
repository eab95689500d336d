"""A tenant with people, a site, and reports that wait to be mailed, made to measure by the tests."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

from django.conf import settings

from apps.organization.models import Person, Site, Tenant
from apps.reports.models import GeneratedReport, ReportSchedule

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)  # 17:30 in Kolkata
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
CONTENT = b"site,jobs\r\nNorth gate,3\r\n"
_numbers = count(1)


class Agency:
    """One tenant, one site in the charge of `gate@`, the admin `ada@` and the reader `rita@`."""

    def __init__(self, slug: str = "acme", zone: str = "Asia/Kolkata") -> None:
        self.slug, self.zone = slug, zone
        self.tenant = Tenant.objects.create(slug=slug, name=slug.title())
        self.site = Site.objects.create(
            tenant=self.tenant, code="S1", name="North gate", timezone=zone, in_charge=[self.address("gate")]
        )
        self.admin = self.person("ada", is_tenant_admin=True)
        self.reader = self.person("rita")

    def address(self, name: str) -> str:
        return f"{name}@{self.slug}.example"

    def person(self, name: str, **fields: Any) -> Person:
        return Person.objects.create(**{"tenant": self.tenant, "name": name, "email": self.address(name), **fields})

    def people(self, number: int) -> list[str]:
        """The addresses of many people."""
        names = [f"p{n:04}" for n in range(number)]
        Person.objects.bulk_create(Person(tenant=self.tenant, name=name, email=self.address(name)) for name in names)
        return [self.address(name) for name in names]

    def schedule(self, **fields: Any) -> ReportSchedule:
        chosen = {
            "name": "Daily tickets",
            "type": "TICKET_LIST",
            "cron": "0 0 * * *",
            "timezone": self.zone,
            "send_at": time(7),
            "to": [self.address("rita")],
            "format": "CSV",
            **fields,
        }
        return ReportSchedule.objects.create(tenant=self.tenant, **chosen)

    def report(
        self, schedule: ReportSchedule | None = None, *, content: bytes = CONTENT, **fields: Any
    ) -> GeneratedReport:
        """A report that is READY since `send_at`, half an hour before NOW, with its file."""
        schedule = schedule or self.schedule()
        number = next(_numbers)
        until = datetime(2026, 11, 22, 18, 30, tzinfo=UTC)  # midnight in Kolkata
        chosen = {
            "window_from": until - DAY - number * MINUTE if schedule.reports.exists() else until - DAY,
            "window_until": until,
            "format": schedule.format,
            "file": f"{schedule.tenant_id}/{schedule.pk}/{number}.{schedule.format.lower()}",
            "sha256": hashlib.sha256(content).hexdigest(),
            "size": len(content),
            "rows": 1,
            "send_at": NOW - HOUR / 2,
            "created_at": NOW - HOUR,
            **fields,
        }
        path = settings.REPORTS_ROOT / chosen["file"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return GeneratedReport.objects.create(schedule=schedule, **chosen)

    def reports(self, number: int) -> list[GeneratedReport]:
        """Reports of one schedule."""
        schedule = self.schedule()
        return [self.report(schedule) for _ in range(number)]


def statuses(*reports: GeneratedReport) -> list[str]:
    return [GeneratedReport.objects.get(pk=report.pk).status for report in reports]


def reason(report: GeneratedReport) -> str:
    return GeneratedReport.objects.get(pk=report.pk).reason
