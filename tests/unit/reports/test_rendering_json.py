"""Reports as JSON, read back."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from apps.reports.content import Chart, Column, Content
from apps.reports.rendering import render

from .sample_content import FULL, NOTHING, all_over, any_text, content


def read(made: Content, folder: Path) -> Any:
    render(made, "JSON", folder / "report.json")
    return json.loads((folder / "report.json").read_text("utf-8"), parse_float=Decimal, parse_constant=refuse)


def refuse(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def test_a_report_says_what_its_cells_are(tmp_path: Path) -> None:
    report = read(content([FULL, NOTHING]), tmp_path)
    assert report["schema_version"] == 1
    assert report["title"] == "Weekly tickets"
    assert report["timezone"] == "Asia/Kolkata"
    assert report["facts"][1] == {"name": "Site", "value": "Łódź & Söhne"}
    assert report["columns"][3] == {"heading": "In time", "kind": "percent"}
    assert report["chart"]["series"][0] == {"name": "In time", "values": [30, 20]}
    assert report["rows"] == [
        ["Łódź", -1234, Decimal("-1234.50"), Decimal("0.25"), 125, "2026-11-23", "2026-11-23T14:30:00+05:30"],
        [None] * 7,
    ]
    assert report["row_count"] == 2


def test_an_empty_report_is_valid(tmp_path: Path) -> None:
    report = read(content(chart=None), tmp_path)
    assert (report["rows"], report["row_count"], report["chart"]) == ([], 0, None)


def test_numbers_keep_all_their_digits_and_no_number_is_null(tmp_path: Path) -> None:
    numbers = [Decimal("12345678901234567890.123456789"), 0.1, 10**30, float("nan"), Decimal("1E+3"), 1e-7]
    made = content([(number,) for number in numbers], columns=(Column(heading="n", kind="decimal"),))
    assert [row[0] for row in read(made, tmp_path)["rows"]] == [
        Decimal("12345678901234567890.123456789"), Decimal("0.1"), 10**30, None, 1000, Decimal("1E-7"),
    ]  # fmt: skip


def test_a_chart_with_a_value_that_is_none_is_valid(tmp_path: Path) -> None:
    chart = Chart(title="c", labels=("a",), series=(("s", (float("nan"),)),))
    assert read(content(chart=chart), tmp_path)["chart"]["series"][0]["values"] == [None]


@given(text=any_text)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was_but_for_halves_of_characters(text: str, tmp_path: Path) -> None:
    whole = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
    report = read(all_over(text), tmp_path)
    assert report["rows"] == [[whole, whole]]
    assert report["title"] == report["facts"][0]["value"] == report["columns"][0]["heading"] == whole
