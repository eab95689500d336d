"""The project's Celery application for these runs: what happens is written down, and some of it is the end of it."""

from intelliwiz_config.celery import app

from . import failpoints, observer

__all__ = ["app"]

observer.observe()  # first, so that a step at which a process dies is known
failpoints.observe()
