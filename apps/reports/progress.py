"""Progress that people may see, and for whose sake no report ever fails."""

from collections.abc import Callable
from typing import Any

import redis
from celery.exceptions import BackendError
from kombu.exceptions import OperationalError

from apps.core.logs import get_logger

log = get_logger(__name__)


def harmless(show: Callable[..., None]) -> Callable[..., None]:
    """`show`, until the server that keeps results does not take it; from then on nothing."""
    works = True

    def shown(*how_far: Any) -> None:
        nonlocal works
        if not works:
            return
        try:
            show(*how_far)
        except (redis.RedisError, OperationalError, BackendError) as error:
            works = False  # each attempt may take as long as the first
            log.warning("report.progress_not_shown", error=type(error).__name__)

    return shown
