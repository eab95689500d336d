"""A Celery application by its address, with its tasks, as `celery -A` finds it."""

import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import celery
from celery import Celery, current_app, signals
from celery.app.utils import find_app

from ..exceptions import DeclarationError
from .sources import place


class ApplicationError(DeclarationError):
    """There is no Celery application at that address that can be loaded; give "package.module:app"."""


class ImpossibleDateError(ApplicationError):
    """Celery has refused a crontab that never fires, and with it the application's module."""

    def __init__(self, reason: str, file: Path, line: int) -> None:
        super().__init__(reason)
        self.place = place(file, line)


def load(address: str) -> Celery:
    """The application at "package.module:app", its tasks loaded. The process's current application stays what it was.

    Raises ApplicationError.
    """
    with _current_application_kept(), _working_directory_first(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a stranger's are not ours to judge
        try:
            app = find_app(address)
            if not isinstance(app, Celery):
                raise ApplicationError(f"What stands at {address!r} is no Celery application.")
            _import_tasks(app)
        except ApplicationError:
            raise
        except Exception as error:  # a stranger's modules may raise anything
            if "never occurs in" in str(error):
                raise ImpossibleDateError(str(error), *_culprit(error)) from error
            raise ApplicationError(f"{address} cannot be loaded: {type(error).__name__}: {error}") from error
        return app


def _import_tasks(app: Celery) -> None:
    _ = app.conf.beat_schedule  # the settings are read
    app.finalize()
    for fixup in filter(None, app._fixups):  # type: ignore[attr-defined] # noqa: SLF001 - Celery names them nowhere else
        # It would run all system checks of the Django project in whose process this is.
        signals.import_modules.disconnect(fixup.on_import_modules, sender=app)
    app.loader.import_default_modules()


def _culprit(error: Exception) -> tuple[Path, int]:
    """The last line that was not Celery's own."""
    own = Path(celery.__file__).parent
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if own not in Path(frame.filename).parents]
    return Path(frames[-1].filename), frames[-1].lineno or 1


@contextmanager
def _working_directory_first() -> Iterator[None]:
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path.remove(str(Path.cwd()))


@contextmanager
def _current_application_kept() -> Iterator[None]:
    kept: Any = current_app._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - what the proxy stands for
    try:
        yield
    finally:
        kept.set_current()
