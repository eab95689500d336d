"""What a content is known by: its size and SHA-256, computed in pieces, whatever its size."""

import hashlib
from dataclasses import dataclass
from typing import Final, Protocol

PIECE: Final = 1024 * 1024  # bytes in memory at a time


class Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    size: int  # bytes
    sha256: str  # 64 lower-case hexadecimal digits


def digest(content: Readable, *, at_most: int | None = None) -> Digest:
    """The digest of what is left to read. Behind `at_most` bytes, reading ends: it is too much already."""
    size, sha256 = 0, hashlib.sha256()
    while piece := content.read(PIECE):
        size += len(piece)
        sha256.update(piece)
        if at_most is not None and size > at_most:
            break
    return Digest(size=size, sha256=sha256.hexdigest())
