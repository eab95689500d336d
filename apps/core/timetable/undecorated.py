"""A function that was meant to be a task: it has the task's name, and no decorator. Nothing is imported."""

import ast
import sys
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from celery import Celery
from celery.utils.functional import maybe_list
from django.apps import apps as django_apps

from ..schedules.timetable import Place
from .sources import TASK_DECORATORS, is_own, last_name, parsed, place, project_files, source_text

TASKS = "tasks"  # the module, or the package, in which Celery looks for tasks


def undecorated_function(task_name: str, files: Iterable[Path]) -> Place | None:
    """Where a function of a module stands that has the task's name and no task decorator; None: there is none.

    A dotted name says the module. For a plain one, modules of tasks come before others.
    """
    module, _, name = task_name.rpartition(".")
    if module:
        looked_at = [file for file in files if _module_path(file)[-len(module.split(".")) :] == module.split(".")]
    else:
        looked_at = sorted(files, key=lambda file: TASKS not in (file.stem, file.parent.name))
    found = ((file, _line(name, file)) for file in looked_at)
    return next((place(file, line) for file, line in found if line), None)


def task_files(app: Celery, *, module: str | None = None) -> list[Path]:
    """The project's files in which tasks may be. `module` is the one that defines the application."""
    files = [*_of_django_apps(), *project_files(app, module=module), *_named_in_settings(app)]
    return [file for file in dict.fromkeys(files) if is_own(file)]


def _module_path(file: Path) -> list[str]:
    parts = list(file.resolve().with_suffix("").parts)
    return parts[:-1] if parts[-1] == "__init__" else parts


def _line(name: str, file: Path) -> int | None:
    text = source_text(file)
    tree = parsed(text) if text is not None and name in text else None  # parsing takes the time
    functions = [
        node
        for node in (tree.body if tree else ())
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    ]
    if not functions or any(_is_task(function) for function in functions):
        return None
    return functions[-1].lineno  # the one that counts


def _is_task(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    called = (each.func if isinstance(each, ast.Call) else each for each in function.decorator_list)
    return any(last_name(each) in TASK_DECORATORS for each in called)


def _of_django_apps() -> Iterator[Path]:
    for config in django_apps.get_app_configs() if django_apps.apps_ready else ():
        folder = Path(config.path)
        files = (folder / f"{TASKS}.py", *sorted((folder / TASKS).glob("*.py")))
        yield from (file for file in files if file.is_file())


def _named_in_settings(app: Celery) -> Iterator[Path]:
    # Not by importlib, which runs the packages that a module is in.
    named: Iterator[object] = (
        each for names in (app.conf.include, app.conf.imports) for each in maybe_list(names) or ()
    )
    for path in (str(name).replace(".", "/") for name in named):
        places = (Path(folder, path) for folder in (str(Path.cwd()), *sys.path))
        files = (file for where in places for file in (where / "__init__.py", where.with_name(f"{where.name}.py")))
        yield from islice(filter(Path.is_file, files), 1)
