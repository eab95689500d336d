"""Paths of media files: relative to the tenant's folder, and the same here and as an object's name."""

import unicodedata
from typing import Final

from .trouble import MediaTroubleError, Trouble

LONGEST: Final = 1000  # bytes in UTF-8; with the tenant's id before it, an S3 key has room for 1,024
LONGEST_PART: Final = 255  # bytes; what file systems take


def parts_of(path: str) -> tuple[str, ...]:
    """The folders and the name. Raises MediaTroubleError (BAD_PATH) for a path that could mean anything else.

    Refused are absolute paths, "." and "..", empty parts, control characters, what is not UTF-8, and backslashes,
    which some storages read as slashes.
    """
    parts = tuple(path.split("/"))
    if _length(path) > LONGEST or "\\" in path or not all(map(_is_part, parts)):
        raise MediaTroubleError(Trouble.BAD_PATH)
    return parts


def key_of(tenant_id: int, path: str) -> str:
    """The object's name in the archive. Raises MediaTroubleError as `parts_of` does."""
    return "/".join((str(tenant_id), *parts_of(path)))


def _is_part(part: str) -> bool:
    if part in ("", ".", "..") or _length(part) > LONGEST_PART:
        return False
    return not any(unicodedata.category(character) == "Cc" for character in part)


def _length(text: str) -> int:
    try:
        return len(text.encode())
    except UnicodeEncodeError:  # half a surrogate pair: bytes of a file name that are no text
        raise MediaTroubleError(Trouble.BAD_PATH) from None
