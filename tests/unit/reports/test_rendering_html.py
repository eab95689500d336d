"""Reports as HTML, parsed."""

import re
from html.parser import HTMLParser
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from apps.reports.content import Chart, Content
from apps.reports.rendering import render
from apps.reports.rendering.palette import TONES
from apps.reports.rendering.svg import svg_of
from apps.reports.rendering.texts import readable

from .sample_content import FULL, NOTHING, all_over, any_text, content

VOID = {"meta"}


class Page(HTMLParser):
    """What a browser would see: elements, their attributes, and the texts in cells."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.source = source
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.cells: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "td" in self.open:
            self.cells[-1] += data
        if self.open:
            self.texts[self.open[-1]] = self.texts.get(self.open[-1], "") + data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def page(made: Content, folder: Path) -> Page:
    render(made, "HTML", folder / "report.html")
    return Page((folder / "report.html").read_bytes().decode())


def test_a_report_is_a_whole_page_with_a_table_that_names_its_columns(tmp_path: Path) -> None:
    seen = page(content([FULL, NOTHING]), tmp_path)
    assert seen.open == []
    assert seen.texts["h1"] == seen.texts["title"][: len("Weekly tickets")] == "Weekly tickets"
    assert seen.texts["caption"] == "Weekly tickets: 2 rows"
    assert [attributes["scope"] for attributes in seen.all("th")] == ["col"] * 7
    assert "Raised (Asia/Kolkata)" in seen.texts["th"]
    cells = [cell.replace("\xa0", " ") for cell in seen.cells]
    assert cells[:7] == ["Łódź", "-1,234", "-1,234.50", "25.0 %", "2 h 05 min", "23 Nov 2026", "23 Nov 2026 14:30"]
    assert cells[7:] == ["\u2013"] * 7


def test_a_report_loads_nothing_and_runs_nothing(tmp_path: Path) -> None:
    seen = page(content([FULL]), tmp_path)
    names = {name for _, attributes in seen.tags for name in attributes}
    assert not {"src", "href", "srcset", "action", "style"} & names
    assert not [name for name in names if name.startswith("on")]
    assert not {"script", "link", "iframe", "object", "img", "form"} & {tag for tag, _ in seen.tags}
    assert "url(" not in seen.source
    assert "@import" not in seen.source
    assert "default-src 'none'" in seen.source


def test_a_report_fits_a_phone_and_the_dark(tmp_path: Path) -> None:
    source = page(content(), tmp_path).source
    assert 'name="viewport" content="width=device-width' in source
    assert "prefers-color-scheme:dark" in source


def test_the_chart_is_told_to_those_who_cannot_see_it(tmp_path: Path) -> None:
    seen = page(content(), tmp_path)
    (svg,) = seen.all("svg")
    assert svg["role"] == "img"
    described = str(svg["aria-labelledby"]).split()
    assert {str(attributes.get("id")) for _, attributes in seen.tags} >= set(described)
    assert "HIGH: In time 30, Late 5; LOW: In time 20, Late 0" in seen.texts["desc"]
    assert len(seen.all("rect")) == 3 + 2  # three parts of bars, for a part of 0 is none, and the legend


def test_an_empty_report_says_so(tmp_path: Path) -> None:
    seen = page(content(), tmp_path)
    assert seen.cells == []
    assert "Nothing to report in this window." in seen.source


@given(text=any_text)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_text_wherever_it_stands(text: str, tmp_path: Path) -> None:
    plain, seen = page(all_over("x"), tmp_path), page(all_over(text), tmp_path)
    assert {tag for tag, _ in seen.tags} <= {tag for tag, _ in plain.tags} | {"span"}
    assert seen.open == []
    if text:
        assert seen.cells == [readable(text)] * 2
    else:
        assert seen.cells == ["\u2013"] * 2


def test_a_series_beyond_the_last_colour_begins_anew(tmp_path: Path) -> None:
    many = tuple((f"s{number}", (1.0,)) for number in range(len(TONES) + 1))
    drawn = svg_of(Chart(title="many", labels=("a",), series=many))
    assert drawn is not None
    assert set(re.findall(r'class="(s\d)"', drawn)) == {f"s{number}" for number in range(len(TONES))}
