"""A company with one site, and planned work on demand."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from apps.helpdesk.models import EscalationRule
from apps.operations.models import ChecklistItem, Job, JobNeed, Reminder
from apps.organization.models import Asset, Person, Site, Tenant

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Company:
    """A tenant, its site with one asset, an admin and a guard."""

    def __init__(self, slug: str = "acme", zone: str = "Asia/Kolkata") -> None:
        self.tenant = Tenant.objects.create(slug=slug, name=slug.title())
        self.site = Site.objects.create(
            tenant=self.tenant, code="S1", name="North gate", timezone=zone, in_charge=[f"site@{slug}.example"]
        )
        self.asset = Asset.objects.create(site=self.site, code="P1", name="Pump")
        self.admin = Person.objects.create(
            tenant=self.tenant, name="Ada", email=f"admin@{slug}.example", is_tenant_admin=True
        )
        self.guard = Person.objects.create(tenant=self.tenant, name="Gus", email=f"guard@{slug}.example")
        self._names = (f"Patrol {number}" for number in count(1))

    def job(self, on_expiry: str = "NONE", **fields: Any) -> Job:
        usual = {
            "name": next(self._names),
            "site": self.site,
            "asset": self.asset,
            "valid_from": NOW - 400 * HOUR,
            "category": "Safety",
            "priority": "HIGH",
        }
        if "assignee_group" not in fields:
            usual["assignee_person"] = self.guard
        return Job.objects.create(on_expiry=on_expiry, **{**usual, **fields})

    def tour(self, *checkpoints: str, cron: str = "0 9 * * *", **fields: Any) -> Job:
        """The template of a tour, with a checkpoint of ten minutes for each name."""
        tour = self.job(kind="EXTERNAL_TOUR", cron=cron, **fields)
        for seqno, name in enumerate(checkpoints, start=1):
            self.job(name=name, parent=tour, seqno=seqno, kind="EXTERNAL_TOUR", plan_minutes=10, checklist=["Seen"])
        return tour

    def reminder(self, minutes: int = 10, *, hours_ahead: int = 1, **fields: Any) -> Reminder:
        """One that has been due for some minutes, of work that is planned in an hour."""
        root = self.occurrence(planned_at=NOW + hours_ahead * HOUR, expires_at=NOW + (hours_ahead + 1) * HOUR)
        return Reminder.objects.create(jobneed=root, remind_at=NOW - timedelta(minutes=minutes), **fields)

    def occurrence(
        self,
        *,
        on_expiry: str = "NONE",
        status: str = "ASSIGNED",
        expires_at: datetime = NOW - HOUR,
        planned_at: datetime | None = None,
        checkpoints: Sequence[str] = (),
        checklist: Sequence[bool] = (),
        name: str | None = None,
    ) -> JobNeed:
        job = self.job(on_expiry, **({"name": name} if name else {}))
        times = {"planned_at": planned_at or expires_at - HOUR, "expires_at": expires_at}
        root = self._jobneed(job, status, **times)
        for seqno, checkpoint_status in enumerate(checkpoints, start=1):
            checkpoint = self.job(name=f"Checkpoint {seqno}", parent=job, seqno=seqno)
            self._jobneed(checkpoint, checkpoint_status, parent=root, **times)
        for position, is_done in enumerate(checklist, start=1):
            ChecklistItem.objects.create(jobneed=root, position=position, text="Look", is_done=is_done)
        return root

    def occurrences(self, number: int, on_expiry: str = "NONE", **fields: Any) -> list[JobNeed]:
        """Many occurrences of one job, an hour apart, that all have expired."""
        job = self.job(on_expiry)
        return JobNeed.objects.bulk_create(
            self._unsaved(job, planned_at=NOW - (n + 2) * HOUR, expires_at=NOW - (n + 1) * HOUR, **fields)
            for n in range(number)
        )

    def escalates_after(self, value: int, unit: str) -> None:
        EscalationRule.objects.create(tenant=self.tenant, category="Safety", level=1, value=value, unit=unit)

    def _jobneed(self, job: Job, status: str, **fields: Any) -> JobNeed:
        jobneed = self._unsaved(job, status=status, **fields)
        jobneed.save()
        return jobneed

    def _unsaved(self, job: Job, **fields: Any) -> JobNeed:
        return JobNeed(job=job, site=self.site, asset=job.asset, assignee_person=job.assignee_person, **fields)
