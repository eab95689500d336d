"""Reports as Excel workbooks, read back."""

import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openpyxl.utils.escape import unescape

from apps.reports.content import Chart, Column, Content
from apps.reports.rendering import render, workbook
from apps.reports.rendering.sheet_text import LONGEST, cell_text
from apps.reports.rendering.texts import readable

from .sample_content import BEFORE_BACK, EVIL, FULL, NOTHING, any_text, content, texts


def read(made: Content, folder: Path) -> Any:
    render(made, "XLSX", folder / "report.xlsx")
    return openpyxl.load_workbook(folder / "report.xlsx")


def values(sheet: Any) -> list[tuple[Any, ...]]:
    return list(sheet.iter_rows(values_only=True))


def test_the_first_sheet_says_what_the_report_is_about_and_the_second_has_the_rows(tmp_path: Path) -> None:
    book = read(content([FULL, NOTHING]), tmp_path)
    assert book.sheetnames == ["Report", "Data"]
    said = [cell for row in values(book["Report"]) for cell in row if cell is not None]
    assert said[:6] == [
        "Ticket SLA",
        "Weekly tickets",
        "Window",
        "Mon 16 Nov 2026 to Mon 23 Nov 2026",
        "Site",
        "Łódź & Söhne",
    ]
    assert values(book["Data"])[0] == (
        "Site", "Tickets", "Cost", "In time", "Took (h:mm)", "Day", "Raised (Asia/Kolkata)",
    )  # fmt: skip
    assert book.properties.title == "Weekly tickets"


def test_cells_have_the_types_and_formats_of_their_columns(tmp_path: Path) -> None:
    cells = read(content([FULL]), tmp_path)["Data"][2]
    assert [(cell.value, cell.number_format) for cell in cells] == [
        ("Łódź", "General"),
        (-1234, "#,##0"),
        (-1234.5, "#,##0.00"),
        (0.25, "0.0%"),
        (timedelta(minutes=125), "[h]:mm;-[h]:mm"),
        (datetime(2026, 11, 23), "dd mmm yyyy"),  # noqa: DTZ001 - Excel has no zones
        (datetime(2026, 11, 23, 14, 30), "dd mmm yyyy hh:mm"),  # noqa: DTZ001
    ]


def test_a_cell_that_says_nothing_is_empty(tmp_path: Path) -> None:
    data = values(read(content([FULL, NOTHING, FULL]), tmp_path)["Data"])
    assert data[2] == (None,) * 7


def test_the_headings_stay_in_sight_and_filter_the_rows(tmp_path: Path) -> None:
    data = read(content([FULL] * 5), tmp_path)["Data"]
    assert data.freeze_panes == "A2"
    assert data.auto_filter.ref == "A1:G6"
    assert data.print_title_rows == "$1:$1"
    assert all(7 <= data.column_dimensions[letter].width <= 64 for letter in "ABCDEFG")


def test_columns_are_as_wide_as_their_longest_text_up_to_a_limit(tmp_path: Path) -> None:
    columns = (Column(heading="short"), Column(heading="long"))
    data = read(content([("x", "word " * 100), ("y" * 20, "")], columns=columns), tmp_path)["Data"]
    assert 20 <= data.column_dimensions["A"].width <= 25
    assert 55 <= data.column_dimensions["B"].width <= 62


def test_the_chart_is_a_native_one_that_draws_numbers_of_its_sheet(tmp_path: Path) -> None:
    book = read(content(), tmp_path)
    (chart,) = book["Report"]._charts
    rows = values(book["Report"])
    assert [tuple(cell for cell in row if cell is not None) for row in rows[-3:]] == [
        ("By priority", "In time", "Late"),
        ("HIGH", 30, 5),
        ("LOW", 20, 0),
    ]
    last = len(rows)
    assert [series.val.numRef.f for series in chart.series] == [
        f"Report!$B${last - 1}:$B${last}",
        f"Report!$C${last - 1}:$C${last}",
    ]


def test_a_value_of_a_chart_that_is_no_number_is_left_out(tmp_path: Path) -> None:
    chart = Chart(title="c", labels=("a", "b"), series=(("s", (float("nan"), 1.0)),))
    assert values(read(content(chart=chart), tmp_path)["Report"])[-2][:2] == ("a", None)


def test_an_empty_report_has_its_headings_and_says_that_it_is_empty(tmp_path: Path) -> None:
    book = read(content(), tmp_path)
    assert len(values(book["Data"])) == 1
    assert "Nothing to report in this window." in [row[0] for row in values(book["Report"])]


def test_the_hour_that_comes_twice_says_which_one_it_is(tmp_path: Path) -> None:
    rows = [(BEFORE_BACK,), (BEFORE_BACK + timedelta(hours=1),), (BEFORE_BACK + timedelta(hours=2),)]
    made = content(rows, columns=(Column(heading="Raised", kind="moment"),), zone=ZoneInfo("Europe/Berlin"))
    cells = [row[0] for row in read(made, tmp_path)["Data"].iter_rows(min_row=2)]
    assert [f"{cell.value:%H:%M}" for cell in cells] == ["02:30", "02:30", "03:30"]
    assert [cell.number_format for cell in cells] == [
        'dd mmm yyyy hh:mm "CEST"',
        'dd mmm yyyy hh:mm "CET"',
        "dd mmm yyyy hh:mm",
    ]


def test_what_excel_cannot_count_is_written_in_letters(tmp_path: Path) -> None:
    columns = (
        Column(heading="n", kind="integer"),
        Column(heading="d", kind="date"),
        Column(heading="m", kind="moment"),
    )
    made = content([(10**15 + 1, date(1899, 12, 31), datetime(1850, 1, 1, tzinfo=UTC))], columns=columns)
    assert values(read(made, tmp_path)["Data"])[1][:2] == ("1000000000000001", "1899-12-31")


def test_rows_that_one_sheet_cannot_hold_go_to_further_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "ROWS_OF_A_SHEET", 3)
    made = content([(str(number),) for number in range(7)], columns=(Column(heading="n"),))
    book = read(made, tmp_path)
    assert book.sheetnames == ["Report", "Data", "Data 2", "Data 3"]
    assert [[row[0] for row in values(book[name])] for name in book.sheetnames[1:]] == [
        ["n", "0", "1", "2"],
        ["n", "3", "4", "5"],
        ["n", "6"],
    ]


def test_a_sheet_that_is_just_full_has_no_empty_one_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "ROWS_OF_A_SHEET", 3)
    assert read(content([FULL] * 3), tmp_path).sheetnames == ["Report", "Data"]


def test_no_text_is_a_formula_or_a_link_not_even_when_its_cell_is_edited(tmp_path: Path) -> None:
    book = read(texts(*EVIL, "https://example.com", "mailto:x@example.com", "file:///etc/passwd"), tmp_path)
    for row in book["Data"].iter_rows(min_row=2):
        assert row[0].data_type in ("s", "inlineStr", "n"), row[0].value
        assert row[0].hyperlink is None
        if row[0].value is not None:
            assert row[0].data_type != "n"
            assert row[0].style_array.quotePrefix if hasattr(row[0], "style_array") else row[0].quotePrefix
    with zipfile.ZipFile(tmp_path / "report.xlsx") as parts:
        for name in parts.namelist():
            assert b"<f>" not in parts.read(name)
            assert b"hyperlink" not in parts.read(name) or name.endswith("styles.xml")


@given(several=st.lists(any_text, min_size=20, max_size=20))
@example(several=list(EVIL))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_but_for_what_xml_refuses(several: list[str], tmp_path: Path) -> None:
    rows = read(texts(*several), tmp_path)["Data"].iter_rows(min_row=2, max_row=len(several) + 1, values_only=True)
    assert [unescape(row[0] or "") for row in rows] == [readable(text) for text in several]


def test_a_text_that_is_too_long_is_cut_off_visibly() -> None:
    assert len(cell_text("x" * 40_000)) == LONGEST
    assert cell_text("x" * 40_000).endswith("x…")
    assert len(cell_text("👩" * 20_000).encode("utf-16-le")) // 2 <= LONGEST
    assert cell_text("👩" * 20_000).endswith("👩…")


def test_what_excel_would_read_as_an_escape_comes_back_as_it_was(tmp_path: Path) -> None:
    cell = read(texts("_x0041_ and _xyz_"), tmp_path)["Data"]["A2"]
    assert cell.value == "_x005F_x0041_ and _xyz_"
    assert unescape(cell.value) == "_x0041_ and _xyz_"
