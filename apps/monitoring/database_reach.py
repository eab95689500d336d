"""Whether the database answers, found out in less than a second, whatever has become of it."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Final

from django.db import DEFAULT_DB_ALIAS, Error, OperationalError, connections

from apps.core.health.impatience import cut_off_after, insist_on_an_answer

PATIENCE: Final = 0.5  # seconds, for somebody at its address and for its answer


def database_answers() -> bool:
    """Asks it. A connection that was kept open may be one to a server that has been started anew since."""
    was_open = connections[DEFAULT_DB_ALIAS].connection is not None
    return _asked() or (was_open and _asked())


def _asked() -> bool:
    """A connection on which no answer comes is closed."""
    connection = connections[DEFAULT_DB_ALIAS]
    is_ours = not connection.in_atomic_block  # else cutting it off would end somebody's transaction
    try:
        insist_on_an_answer(connection, PATIENCE)
        with connection.cursor() as cursor, cut_off_after(connection, PATIENCE) if is_ours else nullcontext():
            cursor.execute("SELECT 1")
    except Error:
        if is_ours:
            connection.close()
        return False
    return True


@contextmanager
def database_left_alone() -> Iterator[None]:
    """Whoever wants a connection in this block is told at once that there is none."""
    connection = connections[DEFAULT_DB_ALIAS]

    def refuse(*_: Any, **__: Any) -> Any:
        raise OperationalError("The database did not answer a moment ago.")

    connection.get_new_connection = refuse  # type: ignore[method-assign] # for this block
    try:
        yield
    finally:
        del connection.get_new_connection
