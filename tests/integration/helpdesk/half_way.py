"""A process that runs the escalation and stops for good in the middle of its third ticket.

Usage: python -m tests.integration.helpdesk.half_way DATABASE INSTANT
It writes the id of its database session when it has got there.
"""

import sys
import threading
from typing import Any

import django
from django.conf import settings


def main(database: str, instant: str) -> None:
    settings.DATABASES["default"]["NAME"] = database
    django.setup()

    from apps.helpdesk.journal import ticket_changed
    from apps.helpdesk.tasks import ticket_escalation

    ticket_changed.connect(StopAt(3), weak=False)
    ticket_escalation.apply(kwargs={"now_iso": instant}, throw=True)


class StopAt:
    """Waits for ever inside the transaction of the given change, whose mail has its row by then."""

    def __init__(self, number: int) -> None:
        self.left = number

    def __call__(self, **_: Any) -> None:
        from django.db import connection

        self.left -= 1
        if self.left == 0:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid()")
                sys.stdout.write(f"{cursor.fetchone()[0]}\n")
                sys.stdout.flush()
            threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
