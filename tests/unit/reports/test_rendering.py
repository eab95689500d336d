"""What holds for every format."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest
from hypothesis import HealthCheck, given, settings

from apps.reports.content import Chart, Column, Row
from apps.reports.models import Format
from apps.reports.rendering import render
from apps.reports.rendering.rows import EVERY

from .sample_content import CHART, COLUMNS, EVIL, FULL, NOTHING, all_over, any_text, content

pytestmark = pytest.mark.parametrize("made_as", list(Format))


def test_an_empty_report_is_a_file(made_as: Format, tmp_path: Path) -> None:
    render(content(), made_as, tmp_path / "report")
    assert (tmp_path / "report").stat().st_size > 50


def test_a_report_without_facts_chart_and_columns_is_a_file(made_as: Format, tmp_path: Path) -> None:
    render(content(facts=(), totals=(), chart=None, columns=()), made_as, tmp_path / "report")
    render(content(chart=Chart(title="none", labels=(), series=())), made_as, tmp_path / "report")
    render(content(chart=Chart(title="none", labels=("a",), series=())), made_as, tmp_path / "report")


def test_the_format_can_be_given_by_its_name_and_an_unknown_one_is_refused(made_as: Format, tmp_path: Path) -> None:
    render(content(), str(made_as), tmp_path / "report")
    with pytest.raises(ValueError, match="DOCX"):
        render(content(), "DOCX", tmp_path / "other")


def test_the_same_content_makes_the_same_file(made_as: Format, tmp_path: Path) -> None:
    for name in ("first", "second"):
        render(content([FULL, NOTHING]), made_as, tmp_path / name)
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_rows_that_fail_leave_no_file_and_are_closed(made_as: Format, tmp_path: Path) -> None:
    closed = []

    def rows() -> Iterator[Row]:
        try:
            for _ in range(300):
                yield FULL
            raise ConnectionError("the database went away")
        finally:
            closed.append(True)

    with pytest.raises(ConnectionError):
        render(content(rows=rows), made_as, tmp_path / "report")
    assert list(tmp_path.iterdir()) == []
    assert closed


def test_a_stop_from_progress_leaves_no_file_and_closes_the_rows(made_as: Format, tmp_path: Path) -> None:
    closed = []

    def rows() -> Iterator[Row]:
        try:
            while True:
                yield FULL
        finally:
            closed.append(True)

    def stop(done: int, total: int) -> None:
        raise TimeoutError

    held = rows()  # so that nobody but the renderer closes them
    with pytest.raises(TimeoutError):
        render(content(rows=lambda: held), made_as, tmp_path / "report", progress=stop)
    assert list(tmp_path.iterdir()) == []
    assert closed


def test_no_temporary_file_stays_behind(made_as: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    render(content([FULL]), made_as, tmp_path / "report")
    with pytest.raises(ValueError, match="cells"):
        render(content([FULL, ("too", "few")]), made_as, tmp_path / "report")
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("row", [FULL[:-1], (*FULL, "more")], ids=["too few", "too many"])
def test_a_row_that_has_not_one_cell_for_each_column_is_refused(made_as: Format, row: Row, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"Row 2 has \d cells for 7 columns"):
        render(content([FULL, row]), made_as, tmp_path / "report")


def test_a_moment_without_a_zone_is_refused(made_as: Format, tmp_path: Path) -> None:
    naive = (*FULL[:-1], datetime(2026, 11, 23, 9, 0))  # noqa: DTZ001 - is what is refused
    with pytest.raises(ValueError, match="time zone"):
        render(content([naive]), made_as, tmp_path / "report")


def test_progress_is_told_every_some_hundred_rows_and_at_the_end(made_as: Format, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    rows = [FULL] * (2 * EVERY + 3)
    render(content(rows), made_as, tmp_path / "report", progress=lambda done, total: told.append((done, total)))
    assert told == [(EVERY, len(rows)), (2 * EVERY, len(rows)), (len(rows), len(rows))]


def test_progress_never_exceeds_its_total_when_there_are_more_rows_than_said(made_as: Format, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    made = content([FULL] * (EVERY + 1), row_count=3)
    render(made, made_as, tmp_path / "report", progress=lambda done, total: told.append((done, total)))
    assert told == [(EVERY, EVERY), (EVERY + 1, EVERY + 1)]


def test_rows_are_read_once_and_let_go_one_by_one(made_as: Format, tmp_path: Path) -> None:
    calls = []
    most = 0
    alive: WeakSet[Tracked] = WeakSet()

    def rows() -> Iterator[Row]:
        nonlocal most
        calls.append(True)
        for number in range(1_000):
            cell = Tracked(f"{number:200}")
            alive.add(cell)
            most = max(most, len(alive))
            yield (cell,)

    render(content(rows=rows, columns=COLUMNS[:1]), made_as, tmp_path / "report")
    assert len(calls) == 1
    assert most <= 420  # a PDF is measured by its first 200 rows, and HTML is written by 200


class Tracked(str):
    """A text of which one can see whether anybody still has it."""

    __slots__ = ("__weakref__",)
    __hash__ = object.__hash__


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, -(10**20), 1e300, True], ids=repr)
def test_strange_numbers_are_no_reason_to_fail(made_as: Format, value: Any, tmp_path: Path) -> None:
    columns = tuple(Column(heading="n", kind=column.kind) for column in COLUMNS)
    render(content([(value,) * len(columns)], columns=columns), made_as, tmp_path / "report")


def test_cells_of_another_type_than_their_columns_are_no_reason_to_fail(made_as: Format, tmp_path: Path) -> None:
    rows = [(cell,) * len(COLUMNS) for cell in FULL]
    render(content(rows, chart=CHART), made_as, tmp_path / "report")


@pytest.mark.parametrize("text", EVIL, ids=lambda text: ascii(text)[:24])
def test_no_text_is_a_reason_to_fail(made_as: Format, text: str, tmp_path: Path) -> None:
    render(all_over(text), made_as, tmp_path / "report")
    assert (tmp_path / "report").exists()


@given(text=any_text)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_that_chance_finds_is_a_reason_to_fail(made_as: Format, text: str, tmp_path: Path) -> None:
    render(all_over(text), made_as, tmp_path / "report")
