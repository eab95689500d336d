"""The steps of a job's life, as they are reached: for observers, which never change what happens."""

from typing import Any, Final

from django.dispatch import Signal

_reached: Final = Signal()


def reached(step: str, **facts: Any) -> None:
    """Tell the observers of a step, such as "outbox.published"; facts are ids and names, never arguments."""
    _reached.send_robust(sender=None, step=step, **facts)


def observe(observer: Any) -> None:
    """Call `observer(step=..., **facts)` at every step from now on. What it raises is logged by Django."""
    _reached.connect(observer, weak=False)
