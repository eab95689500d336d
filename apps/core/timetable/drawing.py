"""A timetable, drawn for a terminal of any width: two lines an entry, and its day as a strip."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from ..schedules.findings import SEVERITIES, Finding, Severity
from ..schedules.timetable import Line, Timetable
from .due import MINUTE, known_pattern, next_firing
from .gaps import Gap, least_gaps
from .load import ASSUMED, CELLS, QUARTER, SECONDS, Expected, Load, Peak, expected
from .marks import COLOURS, MARKS
from .strips import BOUNDS, SHADES, STYLES, profile, ruler, strip, ticks
from .words import LEFT_TO_RIGHT, counted, in_words, listed, shown, span

NARROWEST: Final = 60  # columns; a terminal that has fewer breaks the lines itself
WIDEST: Final = 160
ROOM: Final = 52  # columns that the widest strip leaves to the rest
GAPS_UP_TO: Final = 300  # entries; with more there are too many pairs
HEIGHT: Final = 3  # lines of the load of all entries
NAMED: Final = 5  # entries in the sentence about the peak
COLUMNS: Final = {  # by the cells of a strip: what one stands for
    CELLS: "a quarter of an hour",
    CELLS // 2: "half an hour, as dark as its busier quarter",
    CELLS // 4: "an hour, as dark as its busiest quarter",
}
WEEK: Final = timedelta(days=7)
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
NOT_KNOWN: Final = "not known"

DIM: Final = "dim"


def draw(timetable: Timetable, findings: Iterable[Finding], *, horizon_days: int) -> RenderableType:
    """What fits itself to the width of the console that it is printed on."""
    found = defaultdict(list)
    for finding in findings:
        for name in finding.entries:
            found[name].append(finding)
    lines, at, plan = timetable.lines, timetable.at.astimezone(UTC), expected(timetable, days=horizon_days)
    gaps = least_gaps(lines) if len(lines) <= GAPS_UP_TO else [None] * len(lines)
    rows = tuple(
        _row(line, found[line.name], gap, load, at) for line, gap, load in zip(lines, gaps, plan.loads, strict=True)
    )
    return _Drawing(rows=rows, at=at, plan=plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """What is told of one entry, fit to be shown."""

    name: str
    when: str
    following: str  # its next firing
    queue: str
    gap: str  # "" where it is not told
    codes: str  # of its findings
    worst: Severity | None  # of them
    load: Load | None
    runs: str  # how long; "" where it has not been measured


@dataclass(frozen=True, slots=True, kw_only=True)
class _Columns:
    """How the terminal's columns are shared out."""

    all: int
    name: int
    beside: int  # what stands beside the name: when it is due, if there is room for it, else the next firing
    cells: int  # of a strip

    @property
    def text(self) -> int:
        """All that stands before a strip."""
        return self.all - self.cells

    @property
    def wide(self) -> bool:
        return self.cells == CELLS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Drawing:
    rows: tuple[_Row, ...]
    at: datetime
    plan: Expected

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not self.rows:
            yield Text("No entries.")
            return
        columns = _columns(self.rows, max(NARROWEST, min(options.max_width, WIDEST)))
        for line in [*_table(self, columns), *_total(self, columns), *_notes(self, columns, console)]:
            line.rstrip()
            yield line


def _row(line: Line, found: Sequence[Finding], gap: Gap | None, load: Load | None, at: datetime) -> _Row:
    severities = {finding.severity for finding in found}
    return _Row(
        name=shown(line.name),
        when=shown(in_words(line)),
        following=_following(line, at),
        queue=shown(line.destination or "no queue"),
        gap=_gap(gap) if gap else "",
        codes=" ".join(sorted({finding.code for finding in found})),
        worst=next((severity for severity in SEVERITIES if severity in severities), None),
        load=load,
        runs="" if line.run_seconds is None else f"runs {span(line.run_seconds)}",
    )


def _following(line: Line, at: datetime) -> str:
    """ "Mon 12:42"; from a week on the date."""
    pattern = known_pattern(line)
    if pattern is None:
        return NOT_KNOWN
    instant = next_firing(pattern, line.zone, at)
    if instant is None:
        return "never"
    return f"{DAYS[instant.weekday()]} {instant:%H:%M}" if instant - at < WEEK else f"{instant:%Y-%m-%d}"


def _date(moment: datetime) -> str:
    return f"{DAYS[moment.weekday()]} {moment:%Y-%m-%d}"


def _gap(gap: Gap) -> str:
    near = f"{span(gap.minutes * 60)} from" if gap.minutes else "shares a minute with"
    return f"{near} {shown(gap.to)}"


def _columns(rows: Sequence[_Row], width: int) -> _Columns:
    cells = next((cells for cells in COLUMNS if cells + ROOM <= width), min(COLUMNS))
    left = width - cells - len("✗ ") - 2 * len("  ")
    beside = max(cell_len(row.when if cells == CELLS else row.following) for row in rows)
    name = min(max(cell_len(row.name) for row in rows), left // 2)
    beside = min(max(beside, len(NOT_KNOWN)), left - name)
    return _Columns(all=width, name=left - beside, beside=beside, cells=cells)


def _table(drawing: _Drawing, columns: _Columns) -> Iterator[Text]:
    title = Text(f"{counted(len(drawing.rows), 'entry', 'entries')}, {_date(drawing.at)} {drawing.at:%H:%M} UTC")
    heading = "when" if columns.wide else "next, UTC"
    yield Text.assemble(_cut(title, columns.text, pad=True), (ruler(columns.cells), DIM))
    yield _line(columns, Text(), Text("entry", DIM), Text(heading, DIM), Text(ticks(columns.cells), DIM))
    for row in drawing.rows:
        yield from _entry(row, columns)


def _total(drawing: _Drawing, columns: _Columns) -> Iterator[Text]:
    total = drawing.plan.total
    yield Text("─" * columns.all, DIM)
    label, scale = "  all entries", f"{span(max(total.seconds))}  "
    heads = [f"{label}{scale.rjust(columns.text - len(label))}"] + [" " * columns.text] * (HEIGHT - 1)
    for head, drawn in zip(heads, profile(total, columns.cells, HEIGHT), strict=True):
        yield Text(head) + drawn


def _entry(row: _Row, columns: _Columns) -> Iterator[Text]:
    mark = Text(MARKS[row.worst], COLOURS[row.worst]) if row.worst else Text()
    drawn = strip(row.load, columns.cells) if row.load else Text(NOT_KNOWN, DIM)
    beside = row.when if columns.wide else row.following
    yield _line(columns, mark, Text(row.name, "bold"), Text(beside), drawn)
    details = (f"next {row.following}" if columns.wide else row.when, row.queue, row.runs, row.gap)
    codes = [Text(row.codes, COLOURS[row.worst])] if row.worst else []
    yield from _packed([*codes, *(Text(detail, DIM) for detail in details if detail)], columns.all)


def _line(columns: _Columns, mark: Text, name: Text, beside: Text, drawn: Text) -> Text:
    name, beside = _cut(name, columns.name, pad=True), _cut(beside, columns.beside, pad=True)
    return Text.assemble(mark or " ", " ", name, "  ", beside, "  ", drawn)


def _cut(text: Text, width: int, *, pad: bool = False) -> Text:
    """To `width`, with a sign where something is left out."""
    backwards = text.plain.endswith(LEFT_TO_RIGHT)
    text.truncate(width, overflow="ellipsis", pad=pad)
    return text.append(LEFT_TO_RIGHT) if backwards else text


def _packed(parts: Iterable[Text], width: int) -> Iterator[Text]:
    """Parts in as few lines as they need, below a name."""
    indent, between = Text("    "), Text("  ")
    line = indent.copy()
    for part in (_cut(part, width - len(indent)) for part in parts):
        if line.cell_len > len(indent) and line.cell_len + len(between) + part.cell_len > width:
            yield line
            line = indent.copy()
        line = Text.assemble(line, between if line.cell_len > len(indent) else "", part)
    yield line


def _notes(drawing: _Drawing, columns: _Columns, console: Console) -> Iterator[Text]:
    for note in (_peak(drawing.plan.peak), Text(), *_legend(drawing, columns)):
        yield from note.wrap(console, columns.all)


def _peak(peak: Peak | None) -> Text:
    if peak is None:
        return Text("Nothing is due in these days.")
    end = peak.at + QUARTER * MINUTE
    slots = f", which takes {peak.seconds / SECONDS:.1f} slots," if peak.seconds > SECONDS else ""
    return Text(
        f"Peak: {_date(peak.at)} {peak.at:%H:%M} to {end:%H:%M} UTC with {span(peak.seconds)} of work{slots} and "
        f"{counted(peak.starts, 'start')}: {listed([shown(name) for name in peak.names], most=NAMED)}."
    )


def _legend(drawing: _Drawing, columns: _Columns) -> Iterator[Text]:
    rows, plan = drawing.rows, drawing.plan
    days = f"{plan.since:%Y-%m-%d}"
    if plan.days > 1:
        days = f"the busiest of {plan.days} days from {days} on"
    yield _shades()
    yield Text(f"A column is {COLUMNS[columns.cells]}, in UTC, on {days}. More than 15 min takes more than one slot.")
    if any(row.runs for row in rows):
        yield Text('"runs 5 min": 95 of 100 of its runs take no longer.')
    if assumed := sum(row.load is not None and not row.runs for row in rows):
        entries = counted(assumed, "entry", "entries")
        yield Text(f"{entries} without a measured run time: a run counts as {span(ASSUMED)}.")
    if len(rows) > GAPS_UP_TO:
        yield Text(f"How near entries come to each other is told of up to {GAPS_UP_TO} entries.")
    elif any(row.gap for row in rows):
        yield Text('"15 min from another": it never comes nearer to any entry than that.')
    there = {row.worst for row in rows}
    if marks := ", ".join(f"{MARKS[severity]} {severity}" for severity in SEVERITIES if severity in there):
        yield Text(f"Findings: {marks}.")


def _shades() -> Text:
    told = Text("Work in a quarter hour:")
    for shade, style, most in zip(SHADES[1:], STYLES[1:], (*BOUNDS, None), strict=True):
        told.append("  ").append(shade, style)
        told.append(f" to {span(most)}" if most else " more")
    return told
