"""TICKET_LIST: the tickets that were raised in the window, as they stand when the report is made."""

from collections.abc import Iterator
from typing import Any, Final

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.helpdesk.models import Ticket, TicketHistory
from apps.helpdesk.transitions import WAITING, Action, Status
from apps.reports.content import Chart, Column, Content, Row

from .occurrences import minutes, stream
from .parameters import choices, require_known, texts
from .scope import Scope

PRIORITIES: Final = tuple(reversed(Ticket.Priority.values))  # the most urgent first

STANDINGS: Final = {
    "Waiting": WAITING,
    "On hold": (Status.ON_HOLD,),
    "Done": (Status.RESOLVED, Status.CLOSED),
    "Cancelled": (Status.CANCELLED,),
}


def ticket_list(scope: Scope) -> Content:
    """Parameters: statuses, priorities and categories, each a list. Raises BadReportError."""
    tickets, said = _chosen(scope)
    resolved = (
        TicketHistory.objects.filter(ticket=OuterRef("pk"), action=Action.RESOLVE)
        .order_by()
        .values("ticket")
        .annotate(last=Max("at"))
        .values("last")
    )
    table = tickets.annotate(
        resolved_at=Subquery(resolved), assignee=Coalesce("assignee_person__name", "assignee_group__name")
    ).order_by("created_at", "pk")
    fields = (
        *("number", "created_at", "site__code", "category", "priority", "status", "level"),
        *("assignee", "resolved_at", "description"),
    )

    def rows() -> Iterator[Row]:
        for *cells, resolved_at, description in stream(table.values_list(*fields)):
            took = minutes(resolved_at - cells[1]) if resolved_at else None
            yield (*cells, resolved_at, took, description)

    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(*said),
        zone=scope.zone,
        columns=(
            Column(heading="Ticket"),
            Column(heading="Raised", kind="moment"),
            Column(heading="Site"),
            Column(heading="Category"),
            Column(heading="Priority"),
            Column(heading="Status"),
            Column(heading="Level", kind="integer"),
            Column(heading="Assigned to"),
            Column(heading="Last resolved", kind="moment"),
            Column(heading="Raised to resolved", kind="minutes"),
            Column(heading="Description"),
        ),
        row_count=tickets.count(),
        rows=rows,
        chart=_chart(tickets),
        totals=_totals(tickets),
    )


def _chosen(scope: Scope) -> tuple[QuerySet[Ticket], tuple[tuple[str, str], ...]]:
    """The tickets, and the choice in words."""
    parameters = require_known(scope.parameters, "statuses", "priorities", "categories")
    statuses = choices(parameters, "statuses", Status.values)
    priorities = choices(parameters, "priorities", PRIORITIES)
    categories = texts(parameters, "categories")
    start, end = scope.in_window
    # The ticket has a tenant of its own beside its site's.
    tickets = Ticket.objects.filter(
        **scope.at_sites,
        tenant_id=scope.tenant_id,
        created_at__gte=start,
        created_at__lt=end,
        status__in=statuses,
        priority__in=priorities,
    )
    if categories is not None:
        tickets = tickets.filter(category__in=categories)
    said = (
        ("Status", ", ".join(statuses)),
        ("Priority", ", ".join(priorities)),
        ("Category", "all" if categories is None else ", ".join(categories)),
    )
    return tickets.order_by(), said


def _counts() -> dict[str, Any]:
    """For each of STANDINGS how many, under names that can be those of columns."""
    return {
        name.lower().replace(" ", "_"): Count("pk", filter=Q(status__in=statuses))
        for name, statuses in STANDINGS.items()
    }


def _chart(tickets: QuerySet[Ticket]) -> Chart | None:
    counts = _counts()
    by_priority = tickets.values("priority").annotate(**counts)
    found = {priority: numbers for priority, *numbers in by_priority.values_list("priority", *counts)}
    labels = tuple(priority for priority in PRIORITIES if priority in found)
    if not labels:
        return None
    return Chart(
        title="Tickets by priority",
        labels=labels,
        series=tuple(
            (name, tuple(float(found[label][number]) for label in labels)) for number, name in enumerate(STANDINGS)
        ),
    )


def _totals(tickets: QuerySet[Ticket]) -> tuple[tuple[str, str], ...]:
    counts = _counts()
    found = tickets.aggregate(raised=Count("pk"), escalated=Count("pk", filter=Q(level__gt=0)), **counts)
    return (
        ("Raised", str(found["raised"])),
        *((name, str(found[key])) for name, key in zip(STANDINGS, counts, strict=True)),
        ("Escalated", str(found["escalated"])),
    )
