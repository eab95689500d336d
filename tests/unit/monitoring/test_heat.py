"""A day of an entry as a strip."""

from apps.core.timetable.load import CELLS, Load
from apps.monitoring.heat import heat


def load(**cells: float) -> Load:
    seconds, starts = [0.0] * CELLS, [0] * CELLS
    for name, work in cells.items():
        seconds[int(name[1:])], starts[int(name[1:])] = work, 1
    return Load(seconds=tuple(seconds), starts=tuple(starts))


def test_more_work_is_darker_and_the_words_name_the_busiest_time() -> None:
    drawn = heat(load(c0=1.0, c13=60.0, c95=2000.0))
    assert drawn is not None
    first, middle, last = drawn.cells
    assert 1 <= first.shade < middle.shade < last.shade
    assert (first.x, last.x) == (0, drawn.width - drawn.cell)
    assert drawn.title == "Work expected by time of day, UTC: in 3 of 96 quarters of an hour, most at 23:45."
    assert drawn.ticks == (48, 96, 144)


def test_an_entry_that_is_never_due_says_so_and_one_without_a_place_has_no_strip() -> None:
    drawn = heat(load())
    assert drawn is not None
    assert drawn.title == "Nothing is due within the next days."
    assert heat(None) is None
