"""Work that only one process does at a time, whichever it is."""

from django.db import connection


def takes_turn(name: str) -> bool:
    """Whether it is this transaction's turn, until its end. False: somebody else has it now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext(%s))", [name])
        (taken,) = cursor.fetchone()
    return bool(taken)
