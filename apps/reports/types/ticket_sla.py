"""TICKET_SLA: of the tickets resolved in the window, how many within the time agreed, by priority.

The time agreed is that of a ticket's first level: until then nobody else has to be told. It counts as it does for
escalations: from when the ticket was raised or reopened, without its time on hold, in the business hours of its
priority. Rules and hours are those in force when the report is made; but a ticket that was escalated was late,
whatever they say today. A ticket for which no time is agreed is counted, and is no part of the attainment.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.db import connection

from apps.helpdesk.agreement import Agreement
from apps.helpdesk.transitions import WAITING, Status
from apps.reports.content import Chart, Column, Content, Row

from .occurrences import CHUNK, minutes, share
from .parameters import require_known
from .scope import Scope
from .ticket_list import PRIORITIES

_ENDED: Final = Path(__file__).with_suffix(".sql").read_text()


@dataclass(slots=True, kw_only=True)
class Attainment:
    """How the tickets of one priority fared."""

    in_time: int = 0
    late: int = 0
    no_agreement: int = 0  # resolved, and no time had been agreed
    overdue: int = 0  # neither resolved nor cancelled at the window's end, and late by then
    waiting: int = 0  # likewise, and not late yet, or no time was agreed
    counted: timedelta = field(default_factory=timedelta)  # until they were resolved, in the time that counts

    @property
    def resolved(self) -> int:
        return self.in_time + self.late + self.no_agreement

    @property
    def rate(self) -> Any:
        return share(self.in_time, self.in_time + self.late)

    def add(self, row: Mapping[str, Any]) -> None:
        """Count one row of ticket_sla.sql."""
        agreement = Agreement.of(row)
        counted = agreement.counted(row["ended_at"])
        is_agreed = agreement.rule_id is not None or row["was_escalated"]
        is_late = row["was_escalated"] or (is_agreed and counted > agreement.after)
        if not row["is_resolved"]:
            self.overdue += is_late
            self.waiting += not is_late
            return
        self.counted += counted
        if not is_agreed:
            self.no_agreement += 1
        elif is_late:
            self.late += 1
        else:
            self.in_time += 1


def ticket_sla(scope: Scope) -> Content:
    """It has no parameters. Raises BadReportError."""
    require_known(scope.parameters)
    table: dict[str, Attainment] = {}
    for row in _ended(scope):
        table.setdefault(row["priority"], Attainment()).add(row)
    found = [(priority, table[priority]) for priority in PRIORITIES if priority in table]
    return Content(
        title=scope.title,
        type_name=scope.type_name,
        facts=scope.facts(
            ("In time", "resolved before the first escalation was due, in the time that counts for its priority")
        ),
        zone=scope.zone,
        columns=(
            Column(heading="Priority"),
            Column(heading="Resolved", kind="integer"),
            Column(heading="In time", kind="integer"),
            Column(heading="Late", kind="integer"),
            Column(heading="No time agreed", kind="integer"),
            Column(heading="Attainment", kind="percent"),
            Column(heading="Time to resolution", kind="minutes"),
            Column(heading="Overdue at the end", kind="integer"),
            Column(heading="Waiting at the end", kind="integer"),
        ),
        row_count=len(found),
        rows=lambda: (_cells(priority, one) for priority, one in found),
        chart=_chart(found),
        totals=_totals([one for _, one in found]),
    )


def _ended(scope: Scope) -> Iterator[Mapping[str, Any]]:
    start, end = scope.in_window
    parameters = {
        "tenant_id": scope.tenant_id,
        "site_id": scope.site_id,
        "since": start,
        "until": end,
        "not_done": [*WAITING, Status.ON_HOLD],
    }
    with connection.chunked_cursor() as cursor:
        cursor.execute(_ENDED, parameters)
        names = [column.name for column in cursor.description]
        while portion := cursor.fetchmany(CHUNK):
            for values in portion:
                yield dict(zip(names, values, strict=True))


def _cells(priority: str, one: Attainment) -> Row:
    average = minutes(one.counted / one.resolved) if one.resolved else None
    return (
        priority,
        *(one.resolved, one.in_time, one.late, one.no_agreement),
        one.rate,
        average,
        *(one.overdue, one.waiting),
    )


def _chart(found: Iterable[tuple[str, Attainment]]) -> Chart | None:
    rated = [(priority, one.rate) for priority, one in found if one.rate is not None]
    if not rated:
        return None
    return Chart(
        title="Attainment by priority",
        labels=tuple(priority for priority, _ in rated),
        series=(("In time", tuple(float(rate * 100) for _, rate in rated)),),
        unit="%",
    )


def _totals(all_of_them: list[Attainment]) -> tuple[tuple[str, str], ...]:
    in_time = sum(one.in_time for one in all_of_them)
    rate = share(in_time, in_time + sum(one.late for one in all_of_them))
    return (
        ("Resolved", str(sum(one.resolved for one in all_of_them))),
        ("Resolved in time", "no agreement applied" if rate is None else f"{in_time} ({rate:.1%})"),
        ("Overdue at the end", str(sum(one.overdue for one in all_of_them))),
    )
