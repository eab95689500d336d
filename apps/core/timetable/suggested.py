"""A suggestion, for people and for machines."""

from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from ..schedules.every import Every
from ..schedules.solver import Standing
from ..schedules.timetable import Timetable
from .rewriting import rewritten, unified_diff
from .sources import source_text
from .suggestion import Suggestion
from .words import counted, shown

GAPS_SHOWN: Final = 12  # the smallest


def as_text(suggestion: Suggestion) -> RenderableType:
    """Before and after."""
    if not suggestion.moves:
        proved = "proved" if suggestion.proved else "as far as was searched"
        return Group(
            Text(f"Suggestion: none; the free entries stand as well as they can ({proved}).", "bold"), Text()
        )
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("entry", "now", "better"):
        table.add_column(heading, overflow="fold")
    for move in suggestion.moves:
        table.add_row(Text(shown(move.entry)), Text(shown(move.before)), Text(written(move.after)))
    best = "the best there is (proved)" if suggestion.proved else "the best that was found; there may be better"
    return Group(
        Text(f"Suggestion, {best}:", "bold"),
        table,
        Text(f"now:    {_told(suggestion.before)}"),
        Text(f"better: {_told(suggestion.after)}"),
        Text(),
    )


def as_facts(suggestion: Suggestion) -> dict[str, Any]:
    """For machines."""
    return {
        "proved": suggestion.proved,
        "moves": [
            {"entry": move.entry, "before": move.before, "after": written(move.after)} for move in suggestion.moves
        ],
        "before": _facts(suggestion.before),
        "after": _facts(suggestion.after),
    }


def written(when: str | Every) -> str:
    """As it stands in a timetable."""
    return f"every(minutes={when.minutes}, offset={when.offset})" if isinstance(when, Every) else when


def differences(suggestion: Suggestion, timetable: Timetable) -> tuple[str, list[str]]:
    """The moves as one unified diff of the sources, and the entries whose schedule is not literal there."""
    where = {line.name: line.place for line in timetable.lines}
    by_file: dict[str, dict[str, str | Every]] = {}
    left = []
    for move in suggestion.moves:
        if place := where[move.entry]:
            by_file.setdefault(place.file, {})[move.entry] = move.after
        else:
            left.append(move.entry)
    diffs = []
    for file, changes in by_file.items():
        before = source_text(Path(file)) or ""
        after, not_literal = rewritten(before, changes)
        diffs.append(unified_diff(file, before, after))
        left += not_literal
    return "".join(diffs), left


def _told(standing: Standing) -> str:
    gaps = ", ".join(map(str, standing.gaps[:GAPS_SHOWN])) + (", …" if len(standing.gaps) > GAPS_SHOWN else "")
    broken = f", {counted(standing.broken, 'spacing')} broken" if standing.broken else ""
    return f"{counted(standing.shared, 'pair')} that share a minute{broken}; smallest gaps {gaps or 'none'} min"


def _facts(standing: Standing) -> dict[str, Any]:
    return {"shared": standing.shared, "broken": standing.broken, "gaps": list(standing.gaps)}
