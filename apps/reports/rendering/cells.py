"""Cells as people read them, and what every format has to know of them."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from apps.reports.content import Cell, Kind

NUMBERS: Final[frozenset[Kind]] = frozenset({"integer", "decimal", "percent", "minutes"})
NO_BREAK: Final = "\N{NO-BREAK SPACE}"  # between a number and its unit
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def shown(cell: Cell, kind: Kind, zone: ZoneInfo) -> str:
    """`cell` in words: "1,234", "25.0 %", "2 h 05 min", "23 Nov 2026 14:30"; "" for None.

    A cell of another type than its column's is shown as what it is. Raises ValueError for a moment without a zone.
    """
    match known(cell):
        case None:
            return ""
        case str() as text:
            return text
        case datetime() as moment:
            return day(local(moment, zone)) if kind == "date" else _moment(local(moment, zone))
        case date() as value:
            return day(value)
        case number:
            return _number(exact(number), kind)


def known(cell: Cell) -> Cell:
    """`cell`, or None for a number that is none: a sum of nothing, a rate of nothing."""
    match cell:
        case float() if not math.isfinite(cell):
            return None
        case Decimal() if not cell.is_finite():
            return None
    return cell


def exact(number: int | float | Decimal) -> Decimal:
    """`number` with the digits one would write: 0.1 is 0.1."""
    return Decimal(repr(number)) if isinstance(number, float) else Decimal(number)


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """`moment` in `zone`. Raises ValueError where it has no zone of its own: the server's would be a guess."""
    if moment.tzinfo is None:
        raise ValueError("A moment in a report has no time zone.")
    return moment.astimezone(zone)


def is_repeated(moment: datetime) -> bool:
    """Whether its local time comes twice, as in the hour in which clocks go back."""
    return moment.replace(fold=0).utcoffset() != moment.replace(fold=1).utcoffset()


def day(value: date) -> str:
    return f"{value.day:02} {_MONTHS[value.month - 1]} {value.year:04}"


def _moment(moment: datetime) -> str:
    which = f" {moment:%Z}" if is_repeated(moment) else ""
    return f"{day(moment)} {moment:%H:%M}{which}"


def _number(number: Decimal, kind: Kind) -> str:
    match kind:
        case "integer":
            return f"{number:,.0f}"
        case "decimal":
            return f"{number:,.2f}"
        case "percent":
            return f"{number * 100:,.1f}{NO_BREAK}%"
        case "minutes":
            return _duration(round(number))
    return f"{number:f}"


def _duration(minutes: int) -> str:
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else ""
    if not hours:
        return f"{sign}{rest}{NO_BREAK}min"
    return f"{sign}{hours:,}{NO_BREAK}h{NO_BREAK}{rest:02}{NO_BREAK}min"
