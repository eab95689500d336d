"""Demonstration tickets with their history, and what was agreed on their handling."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from random import Random
from typing import Final

from apps.helpdesk.models import EscalationRule, SlaPolicy, Ticket, TicketHistory
from apps.helpdesk.numbering import take_numbers
from apps.helpdesk.transitions import Action, Status
from apps.organization.models import Group, Tenant

from .organization import Place

PROBLEMS: Final = {
    "Safety": ("The fire exit is blocked.", "A smoke detector beeps.", "The gate does not close."),
    "Maintenance": ("Water drips from the ceiling.", "The lift makes a noise.", "The air is too warm."),
    "Missed work": ("Nobody came for the inspection.", "The night patrol was late."),
}
PRIORITIES: Final = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
PER_SITE: Final = 28
# How old a site's waiting tickets are. Safety goes to level 1 after 4 hours: the first four are due.
WAITING_HOURS: Final = (96, 72, 48, 24, 2, 1)
EVERYDAY = list(range(1, 8))


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened to a ticket."""

    after: timedelta  # since it was raised
    action: Action
    status: Status


def make_agreements(tenant: Tenant, office: Group) -> None:
    """Three levels of escalation for each category, and business hours for all but critical tickets."""
    EscalationRule.objects.bulk_create(
        EscalationRule(
            tenant=tenant,
            category=category,
            level=level,
            value=value,
            unit=unit,
            assign_group=office if level == 2 else None,
            extra_emails=[f"duty@{tenant.slug}.example.com"] if level == 3 else [],
        )
        for category in PROBLEMS
        for level, value, unit in ((1, 4, "HOUR"), (2, 1, "DAY"), (3, 1, "WEEK"))
    )
    SlaPolicy.objects.bulk_create(
        (
            SlaPolicy(tenant=tenant, priority="LOW"),
            SlaPolicy(tenant=tenant, priority="MEDIUM"),
            SlaPolicy(tenant=tenant, priority="HIGH", opens_at=time(6), closes_at=time(22), weekdays=EVERYDAY),
        )
    )


def make_tickets(place: Place, now: datetime, chance: Random) -> None:
    """PER_SITE tickets of one site: most of them closed, some waiting, of which some are due for escalation."""
    tickets: list[Ticket] = []
    history: list[TicketHistory] = []
    raised = sorted(_raised(now, chance))
    numbers = take_numbers(place.site.tenant_id, len(raised))
    for number, (created_at, waits) in zip(numbers, raised, strict=True):
        steps = list(_steps(waits, chance))
        ticket = _ticket(place, number, created_at, steps[-1], waits, chance)
        tickets.append(ticket)
        history.extend(_entry(ticket, created_at, step) for step in steps)
    Ticket.objects.bulk_create(tickets)
    TicketHistory.objects.bulk_create(history)


def _raised(now: datetime, chance: Random) -> Iterator[tuple[datetime, bool]]:
    """When each was raised, and whether it still waits."""
    for hours in WAITING_HOURS:
        yield now - timedelta(hours=hours), True
    for _ in range(PER_SITE - len(WAITING_HOURS)):
        yield now - timedelta(minutes=chance.randint(7 * 24 * 60, 90 * 24 * 60)), False


def _steps(waits: bool, chance: Random) -> Iterator[Step]:
    yield Step(after=timedelta(), action=Action.RAISE, status=Status.NEW)
    if waits and chance.random() < 0.5:
        return
    yield Step(after=timedelta(minutes=30), action=Action.OPEN, status=Status.OPEN)
    if waits:
        return
    handled = timedelta(hours=chance.randint(1, 72))
    if chance.random() < 0.08:
        yield Step(after=handled, action=Action.HOLD, status=Status.ON_HOLD)
        return
    yield Step(after=handled, action=Action.RESOLVE, status=Status.RESOLVED)
    if chance.random() < 0.9:
        yield Step(after=handled + timedelta(hours=24), action=Action.CLOSE, status=Status.CLOSED)


def _ticket(place: Place, number: str, created_at: datetime, last: Step, waits: bool, chance: Random) -> Ticket:
    # What waits is critical and about safety, so that its clock never stands still and some are always due.
    category = "Safety" if waits else chance.choice(tuple(PROBLEMS))
    return Ticket(
        tenant_id=place.site.tenant_id,
        number=number,
        description=chance.choice(PROBLEMS[category]),
        status=last.status,
        priority="CRITICAL" if waits else chance.choice(PRIORITIES),
        category=category,
        site=place.site,
        asset=chance.choice((None, *place.assets)),
        creator=chance.choice(place.guards),
        assignee_group=place.team,
        created_at=created_at,
        cycle_started_at=created_at,
        on_hold_since=created_at + last.after if last.status == Status.ON_HOLD else None,
    )


def _entry(ticket: Ticket, created_at: datetime, step: Step) -> TicketHistory:
    at = created_at + step.after
    return TicketHistory(
        ticket=ticket,
        at=at,
        action=step.action,
        status=step.status,
        cycle=1,
        from_level=0,
        to_level=0,
        from_group=ticket.assignee_group,
        to_group=ticket.assignee_group,
        mailed_at=at,  # nobody is told now of what happened then
    )
