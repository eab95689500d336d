"""Where the entries of a timetable stand in an application's source files, read without importing them."""

import ast
import io
import re
import sys
import sysconfig
import tokenize
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from celery import Celery
from django.conf import settings

from ..schedules.codes import CODES
from ..schedules.timetable import Place, Suppression

LARGEST: Final = 1_000_000  # bytes; who writes by hand writes less
BOM: Final = "\ufeff"
OF_AN_ENTRY: Final = {"when", "schedule", "task"}
MAKERS: Final = {"Entry", "ScheduleEntry", "add_periodic_task"}  # of entries, whatever their arguments
TASK_DECORATORS: Final = {"task", "shared_task", "periodic_task"}
INSTALLED: Final = {"site-packages", "dist-packages"}
_PRAGMA: Final = re.compile(
    r"#\s*schedules:\s*ignore\b(?:\s*\[(?P<codes>[^\]]*)\])?(?P<reason>.*?)(?:\s#\s.*)?$"  # another one may follow
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    places: Mapping[str, Place]  # by entry
    suppressions: tuple[Suppression, ...] = ()  # one that is none has no entry and no reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What may be an entry, as it is written in a file."""

    name: str
    value: ast.expr  # what says when it is due: a dict or a call, mostly
    first: int  # of its lines, from 1 on
    last: int
    certain: bool  # it has a task or a schedule; otherwise something else may have such a name


def read_sources(files: Iterable[Path]) -> Sources:
    """A name that stands in several places is where it is certain to be an entry, and in the first of such files."""
    likely: dict[str, Place] = {}
    certain: dict[str, Place] = {}
    suppressions: list[Suppression] = []
    for file in dict.fromkeys(files):
        text = source_text(file)
        tree = None if text is None else parsed(text)
        if text is None or tree is None:
            continue
        entries = written_entries(tree)
        for entry in entries:
            (certain if entry.certain else likely).setdefault(entry.name, place(file, entry.first))
        suppressions += _suppressions(file, text, entries)
    return Sources(places={**likely, **certain}, suppressions=tuple(suppressions))


def project_files(app: Celery, *, module: str | None = None) -> list[Path]:
    """The files of an application's own loaded modules: of its package and of the one that holds Django's settings.

    `module` is the one that defines the application, by its dotted name.
    """
    named = [module, app.main, getattr(settings, "SETTINGS_MODULE", None) if settings.configured else None]
    packages = {str(name).partition(".")[0] for name in named if name}
    loaded = [loaded for name, loaded in list(sys.modules.items()) if name.partition(".")[0] in packages]
    files = (Path(str(getattr(module, "__file__", None) or "")) for module in loaded)
    return [file for file in dict.fromkeys(files) if file.suffix == ".py" and is_own(file)]


def is_own(file: Path) -> bool:
    """Whether a file is neither Python's nor an installed package's."""
    library = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib")]
    return not INSTALLED & set(file.parts) and not any(file.is_relative_to(folder) for folder in library)


def source_text(file: Path) -> str | None:
    """A file's text, byte for byte: with its line ends and its byte order mark. None for what cannot be read."""
    try:
        if not file.is_file() or file.stat().st_size > LARGEST:
            return None
        content = file.read_bytes()
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode("utf-8" if encoding == "utf-8-sig" else encoding)
    except (OSError, SyntaxError, ValueError):
        return None


def parsed(text: str) -> ast.Module | None:
    """None for what is no Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of doubtful code, which is not this reader's to judge
        try:
            return ast.parse(_plain(text))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def comments(text: str) -> Iterator[tuple[int, int, str]]:
    """Line from 1 on, column in characters from 0 on, text."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(_plain(text)).readline):
            if token.type == tokenize.COMMENT:
                yield *token.start, token.string
    except (tokenize.TokenError, SyntaxError):
        return


def place(file: Path, line: int) -> Place:
    whole, here = file.resolve(), Path.cwd()
    return Place(file=(whole.relative_to(here) if whole.is_relative_to(here) else whole).as_posix(), line=line)


def last_name(node: ast.expr) -> str:
    """Of `celery.schedules.crontab`: crontab."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def written_entries(tree: ast.Module) -> list[Written]:
    """In the order in which they begin."""
    found = [entry for node in ast.walk(tree) for entry in _written(node)]
    return sorted(found, key=lambda entry: (entry.first, entry.value.lineno, entry.value.col_offset))


def _written(node: ast.AST) -> Iterator[Written]:
    match node:
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Dict | ast.Call):
                    yield from _named(key.value, value, key, value)
        case ast.Call(func=function, keywords=keywords):
            for keyword in keywords:
                if keyword.arg == "name" and isinstance(keyword.value, ast.Constant):
                    if last_name(function) not in TASK_DECORATORS:
                        yield from _named(keyword.value.value, node, node, node)
                elif last_name(function) == "dict" and isinstance(keyword.value, ast.Dict | ast.Call):
                    yield from _named(keyword.arg, keyword.value, keyword, keyword)
        case ast.Assign(targets=[ast.Subscript(slice=ast.Constant(value=name))], value=value):
            yield from _named(name, value, node, node)


def _named(
    name: object, value: ast.expr, start: ast.expr | ast.stmt | ast.keyword, end: ast.expr | ast.stmt | ast.keyword
) -> Iterator[Written]:
    if isinstance(name, str):
        yield Written(
            name=name,
            value=value,
            first=start.lineno,
            last=end.end_lineno or end.lineno,
            certain=_is_entry(value),
        )


def _is_entry(value: ast.expr) -> bool:
    match value:
        case ast.Call(func=function, keywords=keywords):
            return last_name(function) in MAKERS or any(keyword.arg in OF_AN_ENTRY for keyword in keywords)
        case ast.Dict(keys=keys):
            return any(isinstance(key, ast.Constant) and key.value in OF_AN_ENTRY for key in keys)
    return False


def _suppressions(file: Path, text: str, entries: list[Written]) -> Iterator[Suppression]:
    if "schedules:" not in text:
        return
    lines = _plain(text).split("\n")
    found = [(line, not lines[line - 1][:column].strip(), comment) for line, column, comment in comments(text)]
    alone = {line for line, is_alone, _ in found if is_alone}
    for line, is_alone, comment in found:
        # Behind code it may follow another tool's comment. On a line of its own that would be code commented out.
        pragma = _PRAGMA.match(comment) if is_alone else _PRAGMA.search(comment)
        if pragma is None:
            continue
        name = _beside(line, entries, alone)
        reason = pragma["reason"].strip(" \t:-–—")  # noqa: RUF001 - dashes before a reason
        for code in [code.strip() for code in (pragma["codes"] or "").split(",") if code.strip()] or [""]:
            holds = bool(name) and code in CODES
            yield Suppression(
                code=code,
                reason=reason if holds else "",
                place=place(file, line),
                entry=name if holds else "",
            )


def _beside(line: int, entries: list[Written], alone: Container[int]) -> str:
    """The entry on whose lines, or on the lines of comment directly above, this line is; "": none."""
    around = [entry for entry in entries if _head(entry.first, alone) <= line <= entry.last]
    certain = [entry.name for entry in around if entry.certain]
    # Entries hold none, so it is the outermost. What only may be one is often the dict that holds them all.
    return certain[0] if certain else around[-1].name if around else ""


def _head(first: int, alone: Container[int]) -> int:
    while first - 1 in alone:
        first -= 1
    return first


def _plain(text: str) -> str:
    return text.removeprefix(BOM).replace("\r\n", "\n").replace("\r", "\n")
