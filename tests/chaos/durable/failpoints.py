"""The step at which a process ends itself by kill -9: STEP:TIMES in an environment variable.

Each process counts for itself, a child of a pool from its birth.
"""

import os
import signal
from typing import Any

from apps.core import steps

from .. import journal

PLACE = "CHAOS_FAILPOINTS"
DEED = "killed:"  # of the journal, before the step's name


def observe() -> None:
    fatal, _, times = os.environ.get(PLACE, "").partition(":")
    left = int(times or 0)

    def reached(*, step: str, **_: Any) -> None:
        nonlocal left
        if step == fatal:
            left -= 1
            if left == 0:
                journal.write(DEED + step, 0)
                os.kill(os.getpid(), signal.SIGKILL)

    steps.observe(reached)
