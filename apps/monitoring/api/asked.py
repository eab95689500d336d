"""What a request asks for."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.http import QueryDict

from apps.core.metrics.windows import Window
from apps.core.queues import QUEUE_BY_NAME

WINDOWS: Final = (Window.M5, Window.H1, Window.H24, Window.H72)
PARAMETERS: Final = ("queue", "window")


class BadRequestError(Exception):
    """What was asked does not exist; `allowed` does."""

    def __init__(self, code: str, message: str, allowed: Sequence[str]) -> None:
        super().__init__(message)
        self.code, self.allowed = code, list(allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    queue: str | None  # None: all
    window: Window

    @classmethod
    def of(cls, parameters: QueryDict) -> "Asked":
        """Raises BadRequestError."""
        for name, values in parameters.lists():
            if name not in PARAMETERS:
                raise BadRequestError("bad_parameter", "There is no such parameter.", PARAMETERS)
            if len(values) > 1:
                raise BadRequestError("bad_parameter", f"Give {name} once.", PARAMETERS)
        queue = parameters.get("queue") or None
        if queue is not None and queue not in QUEUE_BY_NAME:
            raise BadRequestError("bad_queue", "There is no such queue.", list(QUEUE_BY_NAME))
        window = parameters.get("window") or Window.H1.value
        if window not in [one.value for one in WINDOWS]:
            raise BadRequestError("bad_window", "There is no such window.", [one.value for one in WINDOWS])
        return cls(queue=queue, window=Window(window))
