"""What is kept of the error that a job ended with."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from traceback import format_exception_only
from typing import Any, Final, Self

from celery.utils.serialization import UnpickleableExceptionWrapper

from ..logs import redact
from ..masking import scrub

LONGEST_TEXT: Final = 2_000  # characters
LONGEST_TRACEBACK: Final = 20_000  # characters, of which the last are kept: they are nearest to the error
MOST_FRAMES: Final = 50  # likewise


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error without secrets and personal data."""

    error: str  # the name of its class
    text: str  # what it says
    traceback: str
    frames: tuple[str, ...]  # "/path/of/file.py:function", the innermost last

    @classmethod
    def of(cls, exc_info: Any, error: BaseException, *, secrets: Collection[str] = ()) -> Self:
        """Out of what Celery tells of a failed job. `secrets`: texts that must not be kept."""
        # Cut twice: an error may quote megabytes, and the first cut may leave half a secret at its end.
        text = redact(scrub(text_of(error)[: 2 * LONGEST_TEXT], secrets))
        trace = redact(scrub(str(exc_info.traceback)[-2 * LONGEST_TRACEBACK :], secrets))
        return cls(
            error=_name(exc_info.type, error),
            text=text[:LONGEST_TEXT],
            traceback=trace[-LONGEST_TRACEBACK:],
            frames=tuple(_frames(exc_info.tb))[-MOST_FRAMES:],
        )

    @classmethod
    def of_error(cls, error: BaseException, *, secrets: Collection[str] = ()) -> Self:
        """Likewise, where only the error is at hand."""
        text = redact(scrub(text_of(error)[: 2 * LONGEST_TEXT], secrets))[:LONGEST_TEXT]
        frames = tuple(_frames(error.__traceback__))[-MOST_FRAMES:]
        return cls(error=_name(type(error), error), text=text, traceback="", frames=frames)


def text_of(error: BaseException) -> str:
    """What an error says, also where its own `__str__` fails."""
    if isinstance(error, UnpickleableExceptionWrapper):
        return ", ".join(map(str, error.exc_args or ()))
    return "".join(format_exception_only(error)).partition(": ")[2].strip()


def _name(kind: Any, error: BaseException) -> str:
    """An error that cannot be pickled arrives as another, but its class is told."""
    if isinstance(error, UnpickleableExceptionWrapper):
        return str(error.exc_cls_name)
    return kind.__name__ if isinstance(kind, type) else type(error).__name__


def _frames(trace: Any) -> Iterator[str]:
    while trace is not None:
        code = trace.tb_frame.f_code
        yield f"{code.co_filename}:{code.co_name}"
        trace = getattr(trace, "tb_next", None)
