"""Fuses: tasks whose jobs are parked instead of started, for a while, because an operator has said so."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fuse:
    task: str
    until: float  # moment it ends by itself
    why: str  # "<actor>: <reason>"


def read(told: Sequence[bytes], now: float) -> dict[str, Fuse]:
    """Those that are lit, by task, out of the fields and values of their hash."""
    fuses = {}
    for name, text in zip(told[::2], told[1::2], strict=True):
        until, _, why = text.decode(errors="replace").partition("\n")
        if float(until) > now:
            task = name.decode(errors="replace")
            fuses[task] = Fuse(task=task, until=float(until), why=why)
    return fuses
