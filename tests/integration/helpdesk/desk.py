"""A tenant with a helpdesk, made to measure by the tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from apps.core.sweeps import SweepOutcome
from apps.helpdesk import services
from apps.helpdesk.models import EscalationRule, SlaPolicy, Ticket, TicketHistory
from apps.helpdesk.numbering import take_numbers
from apps.helpdesk.transitions import Action
from apps.organization.models import Group, Person, Site, Tenant

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
MONDAY = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)  # 17:30 in Kolkata


class Desk:
    """One tenant, one site; `creator` raises, `guard` works, `lead` is who rules escalate to."""

    def __init__(self, slug: str = "acme", zone: str = "Asia/Kolkata") -> None:
        self.slug = slug
        self.tenant = Tenant.objects.create(slug=slug, name=slug.title())
        self.site = self.add_site("S1", zone)
        self.creator = self.add_person("Asha")
        self.guard = self.add_person("Bela")
        self.lead = self.add_person("Chandra")

    def add_site(self, code: str, zone: str = "Asia/Kolkata") -> Site:
        return Site.objects.create(tenant=self.tenant, code=code, name=f"Site {code}", timezone=zone)

    def add_person(self, name: str, **fields: Any) -> Person:
        address = f"{name.lower()}@{self.slug}.example"
        return Person.objects.create(**{"tenant": self.tenant, "name": name, "email": address, **fields})

    def add_group(self, *members: Person) -> Group:
        group = Group.objects.create(tenant=self.tenant, name="Night shift")
        group.members.set(members)
        return group

    def rule(self, level: int = 1, value: int = 1, unit: str = "HOUR", **fields: Any) -> EscalationRule:
        fields = {"tenant": self.tenant, "category": "Door", **fields}
        return EscalationRule.objects.create(level=level, value=value, unit=unit, **fields)

    def policy(self, priority: str = "MEDIUM", **fields: Any) -> SlaPolicy:
        return SlaPolicy.objects.create(tenant=self.tenant, priority=priority, **fields)

    def ticket(self, at: datetime = MONDAY, **fields: Any) -> Ticket:
        chosen = {
            "site_id": self.site.pk,
            "category": "Door",
            "description": "The back door does not close.",
            "creator_id": self.creator.pk,
            "assignee_person_id": self.guard.pk,
            "who": self.creator.name,
            **fields,
        }
        return services.raise_ticket(now=at, **chosen)

    def many_tickets(self, number: int, at: datetime = MONDAY) -> list[Ticket]:
        return Ticket.objects.bulk_create(
            Ticket(
                tenant=self.tenant,
                site=self.site,
                number=ticket_number,
                category="Door",
                description="The back door does not close.",
                creator=self.creator,
                assignee_person=self.guard,
                created_at=at,
                cycle_started_at=at,
            )
            for ticket_number in take_numbers(self.tenant.pk, number)
        )

    def change(self, ticket: Ticket, action: str, at: datetime) -> Ticket:
        return services.change_status(ticket.pk, Action(action), who="Asha", now=at)


def level_of(ticket: Ticket) -> int:
    return Ticket.objects.values_list("level", flat=True).get(pk=ticket.pk)


def escalations(ticket: Ticket) -> list[TicketHistory]:
    return list(TicketHistory.objects.filter(ticket=ticket, action=Action.ESCALATE).order_by("pk"))


def counted(outcome: SweepOutcome) -> dict[str, int]:
    """What a sweep counted, without zeros."""
    return {name: count for name, count in outcome.counts.items() if count}
