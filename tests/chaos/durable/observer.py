"""Writes into the journal which step was reached with which job."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from apps.core import steps

from .. import journal


def observe() -> None:
    steps.observe(_reached)


def _reached(*, step: str, job: str | None = None, jobs: Sequence[str] = (), **_: Any) -> None:
    for one in (job, *jobs):
        if one is not None:
            journal.write(step, UUID(one).int)
