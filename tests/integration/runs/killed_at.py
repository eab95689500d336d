"""Archives runs, and kills itself with SIGKILL at a step: python killed_at.py STEP."""

import os
import signal
import sys
from typing import Any

import django

django.setup()

from apps.core import steps  # noqa: E402 - models come after the setup
from apps.core.broker.configured import configured_store  # noqa: E402
from apps.core.runs.archive import Archiver  # noqa: E402


def die(step: str, **_: Any) -> None:
    if step == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)


steps.observe(die)
Archiver(configured_store()).work()
