"""Reports as CSV, read back."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, example, given, settings

from apps.reports.content import Column, Content
from apps.reports.rendering import render
from apps.reports.rendering.formulas import neutralised

from .sample_content import BEFORE_BACK, EVIL, FULL, NOTHING, any_text, content, texts

FORMULAS = "=+-@\uff1d\uff0b\uff0d\uff20"
INVISIBLE = ' "\t\r\n\xa0\u200b\ufeff\x00'


def written(made: Content, folder: Path) -> bytes:
    render(made, "CSV", folder / "report.csv")
    return (folder / "report.csv").read_bytes()


def fields(made: Content, folder: Path, delimiter: str = ",") -> list[list[str]]:
    text = written(made, folder).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))


def test_headings_and_rows_are_as_rfc_4180_has_them_with_a_mark_for_excel(tmp_path: Path) -> None:
    data = written(content([FULL, NOTHING]), tmp_path)
    assert data.startswith(b"\xef\xbb\xbfSite,Tickets,Cost,In time (%),Took (min),Day,Raised (Asia/Kolkata)\r\n")
    assert data.decode("utf-8-sig").splitlines()[1:] == [
        "Łódź,-1234,-1234.50,25.00,125,2026-11-23,2026-11-23T14:30:00+05:30",
        ",,,,,,",
    ]
    assert data.count(b"\n") == data.count(b"\r\n") == 3


def test_an_empty_report_has_its_headings(tmp_path: Path) -> None:
    assert len(fields(content(), tmp_path)) == 1


def test_moments_of_the_hour_that_comes_twice_differ(tmp_path: Path) -> None:
    rows = [(BEFORE_BACK,), (BEFORE_BACK + timedelta(hours=1),)]
    made = content(rows, columns=(Column(heading="Raised", kind="moment"),), zone=ZoneInfo("Europe/Berlin"))
    assert fields(made, tmp_path)[1:] == [["2026-10-25T02:30:00+02:00"], ["2026-10-25T02:30:00+01:00"]]


def test_negative_numbers_of_number_columns_stay_numbers_and_texts_there_do_not_calculate(tmp_path: Path) -> None:
    columns = (Column(heading="Balance", kind="integer"),)
    assert fields(content([(-5,), ("-5",)], columns=columns), tmp_path)[1:] == [["-5"], ["'-5"]]


def test_ordinary_texts_are_left_alone(tmp_path: Path) -> None:
    ordinary = ["Łódź", "a = b", "one, two", 'a "quoted" word', "a-b", "two\nlines", "O'Neill", "x@example.com", ""]
    assert [row[0] if row else "" for row in fields(texts(*ordinary), tmp_path)[1:]] == ordinary


@given(text=any_text)
@example("\u200b=1")
@example("' =1")
@example(';;\t"=1')
@settings(max_examples=300, deadline=None)
def test_no_field_can_begin_a_formula_whatever_character_separates_fields(text: str) -> None:
    safe = neutralised(text)
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(quoted(safe), newline=""), delimiter=delimiter):
            for field in row:
                assert not field.lstrip(INVISIBLE).startswith(tuple(FORMULAS)), (field, delimiter)
    assert not safe.startswith(("\t", "\r"))
    assert safe.replace("'", "") == text.replace("'", "")


def quoted(text: str) -> str:
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\r\n").writerow(["first", text])
    return file.getvalue()


@given(text=any_text)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_breaks_out_of_its_field_or_calculates(text: str, tmp_path: Path) -> None:
    made = content([(text, 1)], columns=(Column(heading=text), Column(heading="n", kind="integer")), chart=None)
    table = fields(made, tmp_path)
    assert [len(row) for row in table] == [2, 2]
    for row in table:
        assert not row[0].lstrip(INVISIBLE).startswith(tuple(FORMULAS))


@pytest.mark.parametrize("text", EVIL, ids=lambda text: ascii(text)[:24])
def test_known_attacks_stay_text(text: str, tmp_path: Path) -> None:
    for row in fields(texts(text), tmp_path):
        assert not "".join(row).lstrip(INVISIBLE).startswith(tuple(FORMULAS))


def test_long_texts_of_nothing_but_gaps_take_no_time() -> None:
    """A search that began anew at each gap would take hours for this one."""
    text = "\t" * 300_000 + "="
    assert neutralised(text).endswith("\t'=")
