"""What a report says, apart from how it looks: filled by the types of reports, written by the renderers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Literal
from zoneinfo import ZoneInfo

# minutes: a duration; percent: 0.25 is 25 %; moment: an aware datetime, shown in the report's zone.
Kind = Literal["text", "integer", "decimal", "percent", "minutes", "date", "moment"]
Cell = str | int | float | Decimal | date | datetime | None  # None: nothing to say, which is no 0
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    heading: str
    kind: Kind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One picture: bars, one for each label, each made of the series."""

    title: str
    labels: tuple[str, ...]
    series: tuple[tuple[str, tuple[float, ...]], ...]  # name, and a value for each label
    unit: str = ""  # of the values: "%", "min"


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    title: str  # the schedule's name
    type_name: str  # "Ticket SLA"
    facts: tuple[tuple[str, str], ...]  # what stands below the title: window, site, when it was made
    zone: ZoneInfo  # in which moments are shown
    columns: tuple[Column, ...]
    row_count: int
    rows: Callable[[], Iterable[Row]]  # read anew at each call, row by row, so that they never all are in memory
    chart: Chart | None = None
    totals: tuple[tuple[str, str], ...] = ()  # a few sums, in words
