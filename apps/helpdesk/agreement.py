"""What was agreed on a ticket: when it goes to the next level, and in which hours its time counts."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.db import connection

from . import business_time
from .business_time import BusinessHours, Period
from .transitions import WAITING

# Nobody waits longer for a ticket; it ends the search where a policy leaves no hour to count in.
HORIZON: Final = timedelta(days=10 * 366)

# Written as SQL because it is read once for each ticket: to build it anew would take longer than to run it.
_AGREEMENTS: Final = Path(__file__).with_suffix(".sql").read_text()
_OF_ONE: Final = f"{_AGREEMENTS} AND ticket.id = %(ticket_id)s"
# By the clock on the wall, which no other clock outruns.
_POSSIBLY_DUE: Final = f"""{_AGREEMENTS}
    AND ticket.id > %(after)s AND rule.value > 0 AND clock.counted_from + rule.after <= %(now)s
    ORDER BY ticket.id LIMIT %(limit)s
"""
_AT_TOP: Final = f"""{_AGREEMENTS}
    AND coalesce(rule.value, 0) = 0
    AND EXISTS (
        SELECT FROM helpdesk_escalationrule AS other
        WHERE other.tenant_id = ticket.tenant_id
            AND other.category = ticket.category
            AND (other.site_id = ticket.site_id OR other.site_id IS NULL)
            AND other.value > 0
    )
"""
_COUNT_AT_TOP: Final = f"SELECT count(*) AS number FROM ({_AT_TOP}) AS at_top"  # noqa: S608 - all of it is constant

Row = Mapping[str, Any]  # of agreement.sql


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    rule_id: int | None  # the rule of the next level; None where none is left or it is switched off
    after: timedelta  # the rule's time
    assign_person_id: int | None  # both None: the assignee stays
    assign_group_id: int | None
    counted_from: datetime
    holds: tuple[Period, ...]  # that ended since
    hours: BusinessHours | None  # None: all time counts

    @classmethod
    def of(cls, row: Row) -> "Agreement":
        return cls(
            rule_id=row["rule_id"] if row["after"] else None,
            after=row["after"] or timedelta(),
            assign_person_id=row["assign_person_id"],
            assign_group_id=row["assign_group_id"],
            counted_from=row["counted_from"],
            holds=tuple(zip(row["hold_begins"] or (), row["hold_ends"] or (), strict=True)),
            hours=_hours(row),
        )

    def due_at(self, *, until: datetime) -> datetime | None:
        """When the next level is due; None where that is later than `until` or never."""
        if self.rule_id is None:
            return None
        return business_time.due_at(self.counted_from, self.after, until=until, hours=self.hours, holds=self.holds)

    def counted(self, now: datetime) -> timedelta:
        """The time that has counted so far."""
        return business_time.elapsed(self.counted_from, now, hours=self.hours, holds=self.holds)

    def held_after(self, instant: datetime) -> timedelta:
        """Real time on hold after `instant`."""
        return sum((max(end - max(begin, instant), timedelta()) for begin, end in self.holds), timedelta())


def agreement_on(ticket_id: int) -> Agreement | None:
    """The agreement on one ticket; None while nobody has to do anything about it."""
    return next((Agreement.of(row) for row in _rows(_OF_ONE, ticket_id=ticket_id)), None)


def next_escalation(ticket_id: int) -> datetime | None:
    """When a ticket goes to its next level if nobody does anything; None where it will not."""
    agreement = agreement_on(ticket_id)
    return agreement.due_at(until=agreement.counted_from + HORIZON) if agreement else None


def possibly_due(now: datetime, *, after: int, limit: int) -> dict[int, Row]:
    """Tickets above the id `after` that are due at `now` if all time counted for them, by id, ascending."""
    rows = _rows(_POSSIBLY_DUE, now=now, after=after, limit=limit)
    return {row["ticket_id"]: row for row in rows}


def count_at_top() -> int:
    """Waiting tickets for whose category there are rules, but none for their next level."""
    (row,) = _rows(_COUNT_AT_TOP)
    return int(row["number"])


def _rows(sql: str, **parameters: Any) -> Iterator[Row]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"waiting": list(WAITING), **parameters})
        names = [column.name for column in cursor.description]
        for values in cursor.fetchall():
            yield dict(zip(names, values, strict=True))


def _hours(row: Row) -> BusinessHours | None:
    if row["opens_at"] is None:
        return None
    return BusinessHours(
        zone=ZoneInfo(row["timezone"]),
        opens=row["opens_at"],
        closes=row["closes_at"],
        weekdays=frozenset(row["weekdays"]),
        holidays=frozenset(row["holidays"] or ()),
        yearly=frozenset((day.month, day.day) for day in row["yearly_holidays"] or ()),
    )
