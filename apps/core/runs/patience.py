"""Questions to the database that are given up when they take too long."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import OperationalError, connection, transaction
from psycopg.errors import QueryCanceled


class TookTooLongError(Exception):
    """The database was told to stop."""


@contextmanager
def at_most(seconds: float, **planning: str) -> Iterator[None]:
    """No statement inside takes longer. Raises TookTooLongError, and undoes this part of a transaction.

    `planning`: further settings of the database for these statements, as in enable_indexscan="off".
    """
    settings = {"statement_timeout": f"{max(int(seconds * 1000), 1)}ms", **planning}
    try:
        with transaction.atomic():
            before = {name: _set(name, value) for name, value in settings.items()}
            yield
            for name, value in before.items():
                _set(name, value)
    except OperationalError as error:
        if isinstance(error.__cause__, QueryCanceled):
            raise TookTooLongError from None
        raise


def _set(name: str, value: str) -> str:
    """Returns what it was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting(%s)", [name])
        (before,) = cursor.fetchone()
        cursor.execute("SELECT set_config(%s, %s, true)", [name, value])
    return str(before)
