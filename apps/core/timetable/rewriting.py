"""Source files with other schedules in them, as text: nothing is written to a file."""

import ast
import difflib
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from ..schedules.every import Every
from .sources import BOM, Written, comments, last_name, parsed, written_entries

CRON_FIELDS: Final = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
POSITIONS: Final = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")  # of crontab's own arguments
# Whose results are as literal as numbers.
CALLS: Final = {"every", "Every", "timedelta", "schedule", "crontab", "range"}
ENGINE: Final = "schedules"  # the package that has Entry and every, wherever the engine is
_LINE_END: Final = re.compile(r"\r\n|\r|\n")
_QUOTES: Final = re.compile(r"""[rRuU]?("{3}|'{3}|"|')""")


class Edit(NamedTuple):
    start: int  # in characters
    end: int
    text: str


class Callee(NamedTuple):
    text: str  # what `every` is called
    imports: list[Edit]  # that it takes


class _Text:
    """A source text in which the nodes of its tree can be found."""

    def __init__(self, source: str) -> None:
        self.source = source
        first = len(BOM) if source.startswith(BOM) else 0
        self._starts = [first, *(end.end() for end in _LINE_END.finditer(source)), len(source)]
        self._comments = [self._starts[line - 1] + column for line, column, _ in comments(source)]

    def index(self, line: int, column: int) -> int:
        start, end = self._starts[line - 1 : line + 1]
        return start + len(self.source[start:end].encode()[:column].decode())  # columns of a tree count UTF-8 bytes

    def span(self, node: ast.expr | ast.alias) -> tuple[int, int]:
        last = (node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        return self.index(node.lineno, node.col_offset), self.index(*last)

    def of(self, node: ast.expr) -> str:
        start, end = self.span(node)
        return self.source[start:end]

    def instead(self, node: ast.expr, text: str) -> list[Edit] | None:
        """None where a comment would be lost."""
        start, end = self.span(node)
        if any(start <= comment < end for comment in self._comments):
            return None
        return [Edit(start, end, text)]

    def edited(self, edits: Iterable[Edit]) -> str:
        source = self.source
        for edit in sorted(set(edits), reverse=True):
            source = source[: edit.start] + edit.text + source[edit.end :]
        return source


def rewritten(source: str, changes: Mapping[str, str | Every]) -> tuple[str, list[str]]:
    """The text with these schedules at these entries, and the names of those where it cannot be said so.

    That is where a schedule is not literal, is told twice, or is of a kind that cannot say the new one.
    """
    tree = parsed(source)
    if tree is None:
        return source, list(changes)
    text, entries = _Text(source), written_entries(tree)
    edits: list[Edit] = []
    left: list[str] = []
    for name, when in changes.items():
        found = _change(text, tree, [entry for entry in entries if entry.name == name], when)
        if found is None:
            left.append(name)
        else:
            edits += found
    return text.edited(edits), left


def unified_diff(file: str, before: str, after: str) -> str:
    """For `patch -p1` and `git apply`; "" where nothing differs."""
    # Only a line feed ends a line there. A tab behind a name is where it ends, should it have spaces.
    old, new = io.StringIO(before).readlines(), io.StringIO(after).readlines()
    name = file.lstrip("/") + ("\t" if " " in file else "")
    lines = difflib.unified_diff(old, new, f"a/{name}", f"b/{name}")
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _change(text: _Text, tree: ast.Module, entries: list[Written], when: str | Every) -> list[Edit] | None:
    values = [entry.value for entry in entries if entry.certain]
    told = {id(schedule): (value, schedule) for value in values if (schedule := _schedule(value)) is not None}
    if len(told) != 1:
        return None  # which of them counts is known only when it runs
    value, schedule = next(iter(told.values()))
    if isinstance(value, ast.Call) and schedule in [each.value for each in value.keywords if each.arg == "when"]:
        return _of_entry(text, tree, value, schedule, when)
    return None if isinstance(when, Every) else _of_crontab(text, schedule, when)


def _schedule(value: ast.expr) -> ast.expr | None:
    """The expression of an entry's schedule."""
    match value:
        case ast.Call(func=function, args=args, keywords=keywords):
            named = [keyword.value for keyword in keywords if keyword.arg in ("when", "schedule")]
            positional = args[:1] if last_name(function) == "add_periodic_task" else []
            return next(iter(named + positional), None)
        case ast.Dict(keys=keys, values=values):
            for key, schedule in zip(reversed(keys), reversed(values), strict=True):
                if key is None:
                    return None  # what is unpacked here may have a schedule, too
                if isinstance(key, ast.Constant) and key.value == "schedule":
                    return schedule
    return None


def _of_entry(text: _Text, tree: ast.Module, call: ast.Call, old: ast.expr, when: str | Every) -> list[Edit] | None:
    if not _is_literal(old):
        return None
    if isinstance(when, str):
        return text.instead(old, _quoted(when, text.of(old)))
    callee = _every(text, tree, call, old)
    edits = callee and text.instead(old, f"{callee.text}(minutes={when.minutes}, offset={when.offset})")
    return [*edits, *callee.imports] if edits and callee else None


def _of_crontab(text: _Text, old: ast.expr, when: str) -> list[Edit] | None:
    match old:
        case ast.Call(func=ast.Attribute(value=made, attr="from_string"), args=[ast.Constant() as cron], keywords=[]):
            return text.instead(cron, _quoted(when, text.of(cron))) if last_name(made) == "crontab" else None
        case ast.Call(func=function) if last_name(function) == "crontab":
            return _of_fields(text, old, when)
    return None


def _of_fields(text: _Text, call: ast.Call, when: str) -> list[Edit] | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    given: dict[str, ast.expr] = dict(zip(POSITIONS, call.args, strict=False))
    given |= {name: named[name] for name in CRON_FIELDS if name in named}
    parts = when.split()
    if None in named or len(parts) != len(CRON_FIELDS) or not all(map(_is_literal, given.values())):
        return None
    wanted = {name: part for name, part in zip(CRON_FIELDS, parts, strict=True) if part != "*"}
    fields = {name: _field(text, name, part, given) for name, part in wanted.items()}
    if not call.args and fields.keys() == given.keys():
        edits = [text.instead(given[name], field) for name, field in fields.items()]
        return None if None in edits else [edit for each in edits for edit in each or ()]
    others = [f"{name}={text.of(value)}" for name, value in named.items() if name not in CRON_FIELDS]
    arguments = ", ".join([*(f"{name}={field}" for name, field in fields.items()), *others])
    return text.instead(call, f"{text.of(call.func)}({arguments})")


def _field(text: _Text, name: str, part: str, given: Mapping[str, ast.expr]) -> str:
    """As it was written, if it stays; otherwise in the style of what was there, or stands beside it."""
    old = given.get(name)
    if isinstance(old, ast.Constant) and str(old.value) == part:
        return text.of(old)
    models = [old] if old else list(given.values())
    texts = [text.of(each) for each in models if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if not texts and part.isdecimal():
        return str(int(part))
    return _quoted(part, next(iter(texts), ""))


def _is_literal(node: ast.expr) -> bool:
    """Whether the same stands there whenever it runs: no names, and no f-strings."""
    match node:
        case ast.Constant():
            return True
        case ast.UnaryOp(operand=operand):
            return _is_literal(operand)
        case ast.BinOp(left=left, right=right):
            return _is_literal(left) and _is_literal(right)
        case ast.List(elts=elements) | ast.Tuple(elts=elements) | ast.Set(elts=elements):
            return all(map(_is_literal, elements))
        case ast.Call(func=function, args=args, keywords=keywords) if last_name(function) in CALLS:
            return all(map(_is_literal, [*args, *(keyword.value for keyword in keywords)]))
    return False


def _quoted(value: str, model: str) -> str:
    """A string literal in the quotes of another."""
    quotes = _QUOTES.match(model)
    quote = quotes[1] if quotes else '"'
    return repr(value) if {quote[0], "\\", "\n"} & set(value) else f"{quote}{value}{quote}"


def _every(text: _Text, tree: ast.Module, entry: ast.Call, old: ast.expr) -> Callee | None:
    """What `every` is called beside an entry; None where that cannot be told."""
    if isinstance(old, ast.Call) and last_name(old.func) in ("every", "Every"):
        return Callee(text.of(old.func), [])
    if isinstance(entry.func, ast.Attribute):
        module = entry.func.value
        return Callee(f"{text.of(module)}.every", []) if last_name(module) == ENGINE else None
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and _is_of_engine(node)]
    names = {alias.asname or alias.name: (alias.name, node) for node in imports for alias in node.names}
    known = next((name for name, (original, _) in names.items() if original == "every"), None)
    if known:
        return Callee(known, [])
    original, brought_by = names.get(last_name(entry.func), ("", None))
    if original != "Entry" or brought_by is None or _is_taken("every", tree):
        return None
    _, end = text.span(brought_by.names[-1])
    return Callee("every", [Edit(end, end, ", every")])


def _is_of_engine(node: ast.ImportFrom) -> bool:
    return (node.module or "").rpartition(".")[2] == ENGINE


def _is_taken(name: str, tree: ast.Module) -> bool:
    """Whether something in the file has the name already, whatever it is."""
    return any(
        name == getattr(node, field, None) for node in ast.walk(tree) for field in ("id", "name", "asname", "arg")
    )
