"""Moves or replays dead letters, and kills itself with SIGKILL at a step: python killed_at.py STEP NUMBER WHAT."""

import os
import signal
import sys
from typing import Any

import django

django.setup()

from apps.core import steps  # noqa: E402 - models come after the setup
from apps.core.broker.configured import configured_store  # noqa: E402
from apps.core.dead_letters.mover import Mover  # noqa: E402
from apps.core.dead_letters.replay import replay  # noqa: E402
from apps.core.dead_letters.selection import Selection  # noqa: E402

step_to_die_at, number, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
seen = 0


def die(step: str, **_: Any) -> None:
    global seen
    seen += step == step_to_die_at
    if seen == number:
        os.kill(os.getpid(), signal.SIGKILL)


steps.observe(die)
if what == "move":
    Mover(configured_store()).work()
else:
    replay(Selection(task=what))
