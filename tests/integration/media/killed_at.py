"""Moves a tenant's files, and kills itself with SIGKILL at a step: python killed_at.py STEP TENANT IDS.

The step "writing" is when an object has been written into an archive in a folder, and is not yet under its name.
"""

import os
import signal
import sys
from datetime import UTC, datetime
from typing import Any

import django

django.setup()

from apps.core import steps  # noqa: E402 - models come after the setup
from apps.media.services import move  # noqa: E402

step_to_die_at, tenant_id, ids = sys.argv[1], int(sys.argv[2]), [int(each) for each in sys.argv[3].split(",")]


def die(step: str, **_: Any) -> None:
    if step == step_to_die_at:
        os.kill(os.getpid(), signal.SIGKILL)


steps.observe(die)
if step_to_die_at == "writing":
    os.link = lambda *_, **__: die("writing")  # type: ignore[assignment]
move(ids, tenant_id=tenant_id, now=datetime(2026, 11, 23, tzinfo=UTC), budget_seconds=3600)
