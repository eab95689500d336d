"""A tenant with sites, planned work, tickets and schedules of reports, made to measure by the tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

from apps.helpdesk.models import EscalationRule, SlaPolicy, Ticket, TicketHistory
from apps.helpdesk.numbering import take_number
from apps.helpdesk.transitions import TRANSITIONS, Action
from apps.operations.models import Job, JobNeed
from apps.organization.models import Asset, Person, Site, Tenant
from apps.reports.models import ReportSchedule

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MIDNIGHT = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)  # Wednesday 25 November 00:00 in Kolkata
NOW = MIDNIGHT + 5 * MINUTE


class Firm:
    """One tenant, one site; the guard works, the owner gets reports, the admin is told what nobody else can be."""

    def __init__(self, slug: str = "acme", zone: str = "Asia/Kolkata", name: str = "") -> None:
        self.slug = slug
        self.tenant = Tenant.objects.create(slug=slug, name=name or slug.title())
        self.zone = zone
        self.site = self.add_site("S1", "North gate")
        self.asset = Asset.objects.create(site=self.site, code="P1", name="Pump")
        self.guard = self.add_person("Gus")
        self.owner = self.add_person("Olga")
        self.admin = self.add_person("Ada", is_tenant_admin=True)
        self._names = (f"Job {number}" for number in count(1))

    def add_site(self, code: str, name: str = "A site", zone: str = "") -> Site:
        return Site.objects.create(tenant=self.tenant, code=code, name=name, timezone=zone or self.zone)

    def add_person(self, name: str, **fields: Any) -> Person:
        address = f"{name.lower()}@{self.slug}.example"
        return Person.objects.create(**{"tenant": self.tenant, "name": name, "email": address, **fields})

    def schedule(self, type_: str = "TASK_SUMMARY", **fields: Any) -> ReportSchedule:
        """A daily one in the firm's zone that is due at MIDNIGHT."""
        chosen = {
            "name": "Daily report",
            "cron": "0 0 * * *",
            "timezone": self.zone,
            "send_at": time(7),
            "to": [self.owner.email],
            "owner": self.owner,
            "format": "JSON",
            "next_run_at": MIDNIGHT,
            **fields,
        }
        return ReportSchedule.objects.create(tenant=self.tenant, type=type_, **chosen)

    def job(self, kind: str = "TASK", **fields: Any) -> Job:
        chosen = {"site": self.site, "name": next(self._names), "assignee_person": self.guard, **fields}
        return Job.objects.create(kind=kind, valid_from=MIDNIGHT - 400 * DAY, **chosen)

    def occurrence(
        self,
        job: Job,
        planned_at: datetime,
        status: str = "ASSIGNED",
        done_after: timedelta | None = None,
        checkpoints: Sequence[str] = (),
    ) -> JobNeed:
        root = self._occurrence(job, planned_at, status, done_after)
        for seqno, its_status in enumerate(checkpoints, start=1):
            point = self.job(job.kind, site=job.site, parent=job, seqno=seqno)
            self._occurrence(point, planned_at, its_status, None, parent=root)
        return root

    def _occurrence(
        self, job: Job, planned_at: datetime, status: str, done_after: timedelta | None, **fields: Any
    ) -> JobNeed:
        if status == "COMPLETED" and done_after is None:
            done_after = 10 * MINUTE
        return JobNeed.objects.create(
            job=job,
            site=job.site,
            asset=job.asset,
            assignee_person=self.guard,
            planned_at=planned_at,
            expires_at=planned_at + 2 * HOUR,
            status=status,
            performed_at=None if done_after is None else planned_at + done_after,
            **fields,
        )

    def ticket(self, at: datetime, *steps: tuple[str, timedelta], **fields: Any) -> Ticket:
        """A ticket raised at `at`, and what happened to it how long after that, without a mail to anybody."""
        chosen = {"site": self.site, "category": "Door", "description": "It does not close.", **fields}
        ticket = Ticket(tenant=self.tenant, created_at=at, cycle_started_at=at, creator=self.owner, **chosen)
        ticket.number = take_number(self.tenant.pk)
        changes = [self._change(ticket, Action.RAISE, at)]
        for action, after in steps:
            changes.append(self._change(ticket, Action(action), at + after))
        ticket.save()
        for change in changes:
            change.ticket = ticket
        TicketHistory.objects.bulk_create(changes)
        return ticket

    def _change(self, ticket: Ticket, action: Action, at: datetime) -> TicketHistory:
        held_from, level = ticket.on_hold_since, ticket.level
        if action in TRANSITIONS:
            ticket.status = TRANSITIONS[action].target
            ticket.on_hold_since = at if action == Action.HOLD else None
        if action == Action.ESCALATE:
            ticket.level, ticket.last_escalated_at = level + 1, at
        if action == Action.REOPEN:
            ticket.cycle, ticket.level = ticket.cycle + 1, 0
            ticket.cycle_started_at, ticket.last_escalated_at = at, None
        return TicketHistory(
            at=at,
            action=action,
            status=ticket.status,
            cycle=ticket.cycle,
            from_level=level,
            to_level=ticket.level,
            held_from=held_from if action in TRANSITIONS else None,
            mailed_at=at,
        )

    def agree(self, hours: int, **fields: Any) -> EscalationRule:
        chosen = {"category": "Door", "level": 1, "value": hours, "unit": "HOUR", **fields}
        return EscalationRule.objects.create(tenant=self.tenant, **chosen)

    def policy(self, priority: str = "MEDIUM", **fields: Any) -> SlaPolicy:
        return SlaPolicy.objects.create(tenant=self.tenant, priority=priority, **fields)
