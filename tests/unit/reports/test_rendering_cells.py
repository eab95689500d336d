"""Cells as people read them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from apps.reports.content import Cell, Kind
from apps.reports.rendering.cells import shown

from .sample_content import BEFORE_BACK

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("cell", "kind", "expected"),
    [
        (None, "integer", ""),
        (0, "integer", "0"),
        (1234567, "integer", "1,234,567"),
        (-3, "integer", "-3"),
        (Decimal("1234.5"), "decimal", "1,234.50"),
        (0.1, "decimal", "0.10"),
        (0.25, "percent", "25.0 %"),
        (Decimal("0.999"), "percent", "99.9 %"),
        (1, "percent", "100.0 %"),
        (0, "minutes", "0 min"),
        (59, "minutes", "59 min"),
        (60, "minutes", "1 h 00 min"),
        (125.4, "minutes", "2 h 05 min"),
        (-125, "minutes", "-2 h 05 min"),
        (100_000, "minutes", "1,666 h 40 min"),
        (date(2026, 3, 1), "date", "01 Mar 2026"),
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "moment", "02 Mar 2026 00:30"),
        (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "date", "02 Mar 2026"),
        (float("nan"), "decimal", ""),
        (Decimal("Infinity"), "decimal", ""),
        (42, "text", "42"),
        ("none", "integer", "none"),
    ],
    ids=repr,
)
def test_a_cell_is_shown_in_the_way_of_its_kind(cell: Cell, kind: Kind, expected: str) -> None:
    assert shown(cell, kind, BERLIN).replace("\xa0", " ") == expected


def test_the_hour_that_comes_twice_says_which_one_it_is() -> None:
    hours = [BEFORE_BACK + timedelta(hours=number) for number in range(-1, 3)]
    assert [shown(hour, "moment", BERLIN) for hour in hours] == [
        "25 Oct 2026 01:30",
        "25 Oct 2026 02:30 CEST",
        "25 Oct 2026 02:30 CET",
        "25 Oct 2026 03:30",
    ]


def test_the_hour_that_is_skipped_is_never_shown() -> None:
    hours = [datetime(2026, 3, 29, hour, 30, tzinfo=UTC) for hour in range(3)]
    assert [shown(hour, "moment", BERLIN)[-5:] for hour in hours] == ["01:30", "03:30", "04:30"]
