"""Tables for people: with lines and colours on a terminal, plain columns anywhere else."""

import io
from collections.abc import Sequence
from typing import Any, Final

from django.core.management.base import BaseCommand
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..health.words import moment as moment

UNKNOWN: Final = "unknown"
AS_WIDE_AS_NEEDED: Final = 10_000  # columns, where no terminal limits them


def show(command: BaseCommand, *parts: Any, no_color: bool = False) -> None:
    """Write texts, in which rich's markup counts, and tables."""
    is_terminal = bool(command.stdout.isatty())
    console = Console(
        file=io.StringIO(),
        force_terminal=is_terminal,
        no_color=no_color or None,
        highlight=False,
        soft_wrap=True,
        width=None if is_terminal else AS_WIDE_AS_NEEDED,
    )
    for part in parts:
        console.print(part)
    written = console.file
    assert isinstance(written, io.StringIO)  # noqa: S101 - made above
    command.stdout.write("\n".join(line.rstrip() for line in written.getvalue().splitlines()))


def table(command: BaseCommand, headings: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int) -> Table:
    """`numbers`: how many columns, from the second on, are aligned to the right."""
    made = Table(box=SIMPLE_HEAD if command.stdout.isatty() else None, pad_edge=False)
    for place, heading in enumerate(headings):
        made.add_column(heading, justify="right" if 1 <= place <= numbers else "left")
    for row in rows:
        made.add_row(*(escape(printable(cell)) for cell in row))
    return made


def printable(text: str) -> str:
    """Without what a terminal would obey: names, reasons and errors are anybody's."""
    return "".join(one if one.isprintable() or one in "\n\t" else "\N{REPLACEMENT CHARACTER}" for one in text)


def known(value: object) -> str:
    return UNKNOWN if value is None else str(value)
