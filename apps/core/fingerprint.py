"""What tells one trouble from another, whatever values their messages name."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

INNERMOST: Final = 3  # frames: with more of them, each caller of a broken function would be a trouble of its own
DIGITS: Final = 16

_ENGINE: Final = "/{}/".format("/".join(Path(__file__).parent.parts[-2:]))
_NOT_OURS: Final = re.compile(r"/(site|dist)-packages/|/lib/python\d[^/]*/|^<")


def fingerprint(*, task: str, reason: str, error: str, frames: Sequence[str]) -> str:
    """The same for the same task, error class and innermost frames of the project's own code.

    `frames`: "/path/of/file.py:function", the innermost last. `error`: "" where there was none: the reason counts.
    """
    where = _innermost(frames) if error else ()
    text = "\n".join((task, error or f"({reason})", *where))
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:DIGITS]


def _innermost(frames: Sequence[str]) -> tuple[str, ...]:
    """Each function once: how deep a recursion went says nothing. Where no frame is the project's own, any counts."""
    own = [frame for frame in frames if not _NOT_OURS.search(frame) and _ENGINE not in frame]
    return tuple(dict.fromkeys(_short(frame) for frame in reversed(own or frames)))[:INNERMOST]


def _short(frame: str) -> str:
    """The file with its folder: where a release is installed changes with each."""
    file, _, function = frame.rpartition(":")
    return f"{'/'.join(_parts(file))}:{function}"


def _parts(file: str) -> Iterator[str]:
    yield from file.replace("\\", "/").split("/")[-2:]
