"""A verdict's numbers."""

from collections.abc import Callable

from rich.table import Table

from ..table import places
from .scenario import Blow
from .verdict import Verdict

ROWS: dict[str, Callable[[Verdict], object]] = {
    "jobs committed": lambda verdict: len(verdict.committed),
    "  by callers who were not told, and enqueued again": lambda verdict: len(verdict.committed) - len(verdict.due),
    "  beside these, refused or killed before the commit": lambda verdict: len(verdict.unknown),
    "jobs rolled back": lambda verdict: len(verdict.rolled_back),
    "  of these, started": lambda verdict: len(verdict.ghosts),
    "transfers due": lambda verdict: len(verdict.due),
    "  lost": lambda verdict: len(verdict.lost),
    "  done twice": lambda verdict: len(verdict.twice),
    "accounts that are wrong": lambda verdict: len(verdict.wrong_accounts),
    "attempts": lambda verdict: verdict.attempts,
    "longest from enqueued to done": lambda verdict: f"{verdict.longest_to_done:.1f} s",
    "children": lambda verdict: len(verdict.books.done),
    "  missing": lambda verdict: len(verdict.childless),
    "  of rolled-back attempts": lambda verdict: len(verdict.orphans),
    "  durable ones that ran twice": lambda verdict: len(verdict.twins),
    "  plain ones that ran twice": lambda verdict: verdict.repeated_plain_children,
    "  plain ones lost with the broker's data": lambda verdict: verdict.children_lost_with_data,
    "  published by one who could not tell": lambda verdict: verdict.unpublished,
    "published by a relay at first": lambda verdict: verdict.published_by_relay_first,
    "published again by a relay": lambda verdict: verdict.republished,
    "rows left in the outbox": lambda verdict: verdict.books.outbox,
    "  which the broker still knows": lambda verdict: verdict.known_rows,
    "leases unknown to their owners": lambda verdict: verdict.forgotten,
    "messages left on the broker": lambda verdict: places(verdict.left),
    "dead letters": lambda verdict: verdict.books.dead_letters,
    "enqueues refused, and repeated": lambda verdict: verdict.refused,
    "workers that ended by themselves": lambda verdict: verdict.worker_exits,
    "other processes that did": lambda verdict: len(verdict.unexpected_exits),
    "tracebacks in workers' logs": lambda verdict: verdict.tracebacks,
    "wall time": lambda verdict: f"{verdict.seconds:.0f} s",
}


def shown(verdict: Verdict) -> Table:
    table = Table("", "durable jobs")
    table.columns[1].justify = "right"
    for label, value in ROWS.items():
        table.add_row(label, str(value(verdict)))
    table.add_section()
    for blow in Blow:
        table.add_row(f"done: {blow}", str(verdict.done[blow]))
    for step, by in verdict.killed_at.items():
        table.add_row(f"killed at {step}", ", ".join(f"{who} {times}" for who, times in by.items()))
    return table
