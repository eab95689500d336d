"""A run of create_job whose process is killed: behind its second batch of two templates, or inside it.

A script for test_planning_concurrency.py; its arguments are where it dies and the instant of the run.
"""

import os
import signal
import sys
from collections.abc import Callable
from itertools import count
from typing import Any

import django

django.setup()

from apps.operations import planned_rows, planning  # noqa: E402 - only after the set-up
from apps.operations.tasks import create_job  # noqa: E402


def dying(function: Callable[..., Any], *, at_call: int) -> Callable[..., Any]:
    """`function`, which does its work and dies at that call."""
    calls = count(1)

    def call(*args: Any, **options: Any) -> Any:
        result = function(*args, **options)
        if next(calls) == at_call:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return call


point, instant = sys.argv[1:]
planning.BATCH = 2  # type: ignore[misc]
if point == "between":
    planning.template_ids = dying(planning.template_ids, at_call=3)
else:
    planned_rows.note = dying(planned_rows.note, at_call=2)
create_job(now_iso=instant)
