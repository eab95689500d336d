"""A sweep whose process is killed in the middle of its third row: the ticket is written, nothing is committed.

A script for test_auto_close_killed.py; its argument is the instant of the sweep.
"""

import os
import signal
import sys
from itertools import count
from typing import Any

import django
from django.conf import settings

django.setup()

from apps.helpdesk.services import raise_system_ticket  # noqa: E402 - only after the set-up
from apps.operations.tasks import auto_close_jobs  # noqa: E402

calls = count(1)


def raise_ticket_and_die(**request: Any) -> Any:
    ticket = raise_system_ticket(**request)
    if next(calls) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return ticket


settings.OPERATIONS_TICKET_RAISER = "__main__.raise_ticket_and_die"
auto_close_jobs(now_iso=sys.argv[1])
