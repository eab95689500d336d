"""Reports as PDF: their text read back, and their pages as pictures."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from hypothesis import given, settings
from PIL import Image
from pypdf import PdfReader

from apps.reports.content import Chart, Column, Content
from apps.reports.rendering import render
from apps.reports.rendering.palette import fill
from apps.reports.rendering.pdf_columns import Wish, widths
from apps.reports.rendering.pdf_fonts import MISSING, bold, regular
from apps.reports.rendering.pdf_pages import MARGIN

from .sample_content import BEFORE_BACK, EVIL, FULL, NOTHING, all_over, any_text, content, texts

A4 = (595, 842)


def read(made: Content, folder: Path) -> PdfReader:
    render(made, "PDF", folder / "report.pdf")
    return PdfReader(folder / "report.pdf")


def said(made: Content, folder: Path) -> list[str]:
    """The text of each page, its gaps as single spaces."""
    return [" ".join(page.extract_text().split()) for page in read(made, folder).pages]


def pictures(folder: Path) -> Iterator[Image.Image]:
    """The pages of the report that was written last, one pixel to a point."""
    document = pypdfium2.PdfDocument(folder / "report.pdf")
    try:
        for page in document:
            yield page.render(scale=1).to_pil().convert("RGB")
    finally:
        document.close()


def ink(picture: Image.Image) -> tuple[int, int, int, int] | None:
    """The box around all that is not white."""
    return picture.convert("L").point(lambda light: 255 if light < 250 else 0).getbbox()


def has_color(picture: Image.Image, color: str) -> bool:
    wanted = tuple(int(color[place : place + 2], 16) for place in (1, 3, 5))
    return any(found == wanted for _, found in picture.getcolors(1 << 20))


def test_a_report_says_what_it_is_about_before_its_table(tmp_path: Path) -> None:
    (page,) = said(content([FULL]), tmp_path)
    parts = [
        "Ticket SLA",
        "Weekly tickets",
        "Window",
        "Łódź & Söhne",
        "Tickets 57",
        "By priority",
        "Site",
        "-1,234.50",
    ]
    places = [page.replace("\xa0", " ").find(part) for part in parts]
    assert -1 not in places
    assert places[0] < places[1] < places[2] < places[5] < places[7]
    assert "25.0 % 2 h 05 min 23 Nov 2026 23 Nov 2026 14:30" in page
    assert "End of the report: 1 row." in page


def test_the_document_has_its_title_and_is_a4(tmp_path: Path) -> None:
    report = read(content([FULL]), tmp_path)
    assert report.metadata is not None
    assert report.metadata.title == "Weekly tickets"
    assert report.metadata.subject == "Ticket SLA"
    assert sorted(round(side) for side in report.pages[0].mediabox[2:]) == sorted(A4)


def test_few_columns_stand_upright_and_many_lie(tmp_path: Path) -> None:
    few, many = texts("a"), content([FULL + FULL], columns=content().columns * 2)
    assert [round(side) for side in read(few, tmp_path).pages[0].mediabox[2:]] == list(A4)
    assert [round(side) for side in read(many, tmp_path).pages[0].mediabox[2:]] == list(reversed(A4))


def test_each_page_has_the_headings_its_number_and_the_title(tmp_path: Path) -> None:
    pages = said(content([FULL] * 200), tmp_path)
    assert len(pages) > 4
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "Raised" in page
        assert page.endswith("Weekly tickets")


def test_a_row_is_never_torn_apart(tmp_path: Path) -> None:
    cells = [f"first{number} {'words ' * (number % 40 * 4)} last{number}" for number in range(150)]
    pages = said(texts(*cells), tmp_path)
    for number in range(150):
        found = [
            [page for page, text in enumerate(pages) if re.search(rf"\b{mark}{number}\b", text)]
            for mark in ("first", "last")
        ]
        assert found[0] == found[1]
        assert len(found[0]) == 1


def test_a_row_that_is_longer_than_a_page_goes_on_over_pages_and_loses_nothing(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(3_000)]
    pages = said(texts("before", " ".join(words), "after"), tmp_path)
    assert len(pages) > 2
    assert re.findall(r"\bw\d+\b", " ".join(pages)) == words


def test_the_last_row_is_on_the_page_that_says_the_end(tmp_path: Path) -> None:
    for count in range(26, 44):
        last = said(texts(*[f"row{number}." for number in range(count)]), tmp_path)[-1]
        assert f"row{count - 1}." in last
        assert f"End of the report: {count} rows." in last


def test_an_empty_report_has_its_headings_and_says_so(tmp_path: Path) -> None:
    (page,) = said(content(), tmp_path)
    assert "Raised" in page
    assert "Nothing to report in this window." in page


def test_a_cell_that_says_nothing_is_a_dash_and_no_0(tmp_path: Path) -> None:
    (page,) = said(content([NOTHING], chart=None, totals=()), tmp_path)
    assert " ".join(["\u2013"] * 7) in page


def test_the_hour_that_comes_twice_says_which_one_it_is(tmp_path: Path) -> None:
    rows = [(BEFORE_BACK,), (BEFORE_BACK + timedelta(hours=1),)]
    made = content(rows, columns=(Column(heading="Raised", kind="moment"),), zone=ZoneInfo("Europe/Berlin"))
    (page,) = said(made, tmp_path)
    assert "Raised (Europe/Berlin)" in page
    assert "25 Oct 2026 02:30 CEST 25 Oct 2026 02:30 CET" in page


@pytest.mark.parametrize(
    "name", ["Müller", "Łódź", "₹ 4,812", "Αθήνα", "Москва", "Škoda ťuk", "İstanbul", "Đặng", "€ £ ¥"]
)
def test_names_of_europe_and_signs_of_currencies_are_shown(name: str, tmp_path: Path) -> None:
    (page,) = said(texts(name), tmp_path)
    assert name in page
    assert MISSING not in page


@pytest.mark.parametrize("name", ["名前", "नमस्ते", "שלום", "مرحبا", "😀"])
def test_letters_that_the_font_lacks_are_shown_as_boxes_and_explained(name: str, tmp_path: Path) -> None:
    (page,) = said(texts(name), tmp_path)
    assert page.count(MISSING) == len(name) + 1
    assert "stands for a character that this PDF cannot show" in page


@pytest.mark.parametrize(
    "text", ["<b>bold</b>", "a & b &amp; c", "<img src=file:///etc/passwd>", "<para><font", "(a\\b)"]
)
def test_what_looks_like_markup_is_text(text: str, tmp_path: Path) -> None:
    (page,) = said(texts(text), tmp_path)
    assert text in page


def test_nothing_is_drawn_outside_the_margins(tmp_path: Path) -> None:
    for made in (
        content([FULL, NOTHING] * 40),
        *(all_over(text) for text in EVIL if len(text) < 5_000),
        texts(*EVIL),
    ):
        render(made, "PDF", tmp_path / "report.pdf")
        for picture in pictures(tmp_path):
            box = ink(picture)
            assert box is not None
            left, top, right, bottom = box
            assert left >= MARGIN - 2
            assert top >= MARGIN - 2
            assert right <= picture.width - MARGIN + 2
            assert bottom <= picture.height - MARGIN + 4  # letters reach below their line


def test_a_number_that_is_wider_than_its_column_is_smaller_and_whole(tmp_path: Path) -> None:
    numbers = [(1,)] * 250 + [(123_456_789_012_345_678,)]  # not among the rows by which columns are measured
    made = content([row * 12 for row in numbers], columns=(Column(heading="n", kind="integer"),) * 12)
    assert said(made, tmp_path)[-1].count("123,456,789,012,345,678") == 12


def test_the_chart_has_the_colours_of_its_series(tmp_path: Path) -> None:
    render(texts("a"), "PDF", tmp_path / "report.pdf")
    assert not has_color(next(pictures(tmp_path)), fill(1))
    render(content(), "PDF", tmp_path / "report.pdf")
    page = next(pictures(tmp_path))
    assert has_color(page, fill(0))
    assert has_color(page, fill(1))


def test_a_chart_that_has_no_room_below_the_facts_is_on_the_next_page(tmp_path: Path) -> None:
    labels = tuple(f"Site {number}" for number in range(40))
    chart = Chart(title="Sites", labels=labels, series=(("n", tuple(map(float, range(40)))),))
    facts = tuple((f"Fact {number}", "said") for number in range(20))
    pages = said(content([FULL], chart=chart, facts=facts), tmp_path)
    assert "Site 39" not in pages[0]
    assert "Site 39" in pages[1]


@given(text=any_text)
@settings(max_examples=200, deadline=None)
def test_broken_lines_fit_and_lose_nothing_but_gaps(text: str) -> None:
    drawn = regular().drawable(text)
    lines = regular().lines(drawn, 8, 60)
    assert all(regular().width(line, 8) <= 60.001 for line in lines)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", drawn)


@given(text=any_text)
@settings(max_examples=100, deadline=None)
def test_a_fitted_text_fits(text: str) -> None:
    assert bold().width(bold().fitted(text, 8, 50), 8) <= 50.001


@pytest.mark.parametrize("breadth", [300.0, 120.0, 60.0], ids=["natural", "shared", "too narrow"])
def test_columns_fill_the_breadth(breadth: float) -> None:
    wanted = [Wish(least=50, natural=50, grows=False), Wish(least=40, natural=100, grows=True)]
    found = widths(wanted, breadth)
    assert sum(found) == pytest.approx(breadth)
    if breadth >= 90:
        assert found[0] == pytest.approx(50)
