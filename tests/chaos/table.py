"""Verdicts beside each other."""

from collections.abc import Callable, Mapping

from rich.table import Table

from .scenario import Blow
from .verdict import RESCUED_WITHIN, Verdict, in_words

ROWS: dict[str, Callable[[Verdict], str]] = {
    "enqueued": lambda verdict: f"{len(verdict.published)}",
    "lost": lambda verdict: f"{len(verdict.lost)}",
    "  of all messages, still on the server": lambda verdict: places(verdict.left),
    "finished twice": lambda verdict: f"{len(verdict.finished_twice)}",
    "  beside these, ended < 50 ms before the kill": lambda verdict: f"{len(verdict.finished_twice_untold)}",
    "killed while they ran": lambda verdict: f"{verdict.killed_attempts}",
    "rescue p50 / p100": lambda verdict: in_words(r.seconds for r in verdict.rescues),
    "  where the server was away meanwhile": lambda verdict: in_words(
        r.seconds for r in verdict.rescues if r.server_was_away
    ),
    "  these, since it was back": lambda verdict: in_words(
        r.serving_seconds for r in verdict.rescues if r.server_was_away
    ),
    f"  later than {RESCUED_WITHIN:.0f} s of a serving server": lambda verdict: (
        f"{sum(r.serving_seconds >= RESCUED_WITHIN for r in verdict.rescues)}"
    ),
    "broken off though nobody killed them": lambda verdict: f"{len(verdict.broken_off)}",
    "worker exits not caused by the run": lambda verdict: f"{len(verdict.unexpected_exits)}",
    "enqueues refused, and repeated": lambda verdict: f"{sum(line.deed == 'refused' for line in verdict.lines)}",
    "tracebacks in workers' logs": lambda verdict: f"{verdict.tracebacks}",
    "wall time": lambda verdict: f"{verdict.seconds:.0f} s",
}


def compared(verdicts: Mapping[str, Verdict]) -> Table:
    table = Table()
    table.add_column("")
    for name in verdicts:
        table.add_column(name, justify="right")
    for label, value in ROWS.items():
        table.add_row(label, *(value(verdict) for verdict in verdicts.values()))
    table.add_section()
    for blow in Blow:
        table.add_row(f"done: {blow}", *(f"{verdict.done[blow]}" for verdict in verdicts.values()))
    return table


def places(left: Mapping[str, int]) -> str:
    return ", ".join(f"{place} {count}" for place, count in left.items()) or "none"
