"""The archive: the storage that STORAGES calls "media_archive", which is added to and never overwritten.

An object counts as stored when it was read back, every byte of it, and has the size and SHA-256 of the row. That is
asked of every storage alike: a checksum that the server states may be one that it was told, or one of parts.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, Any, Final

from django.core.exceptions import SuspiciousOperation
from django.core.files import File
from django.core.files.storage import Storage, storages

from apps.core import steps

from .digest import Digest, digest
from .local_file import LocalFile
from .trouble import ArchiveDownError, ArchiveIsMediaRootError, MediaTroubleError, Trouble

ALIAS: Final = "media_archive"


class Found(StrEnum):
    """What the archive has under a name."""

    NOTHING = "nothing"
    SAME = "same"  # the content that is looked for
    OTHER = "other"


def archive() -> Storage:
    return storages[ALIAS]


def store(media_id: int, key: str, local: LocalFile, content: Digest) -> None:
    """See to it that the archive has this content under this name: once, whoever put it there.

    Raises MediaTroubleError where it cannot be stored, ArchiveDownError where nothing can,
    ArchiveIsMediaRootError where both are one folder.
    """
    match look_for(key, content):
        case Found.OTHER:
            raise MediaTroubleError(Trouble.NAME_TAKEN)
        case Found.SAME:
            _require_second_copy(key, local)
            return
    trouble = Trouble.STORED_WRONG if _put(key, local) else Trouble.NAME_TAKEN
    steps.reached("media.uploaded", media_id=media_id)
    if look_for(key, content) is not Found.SAME:
        raise MediaTroubleError(trouble)
    steps.reached("media.verified", media_id=media_id)


def look_for(key: str, content: Digest) -> Found:
    """Read what is under this name, all of it where its size is right."""
    try:
        with translated():
            if archive().size(key) != content.size:
                return Found.OTHER
        with open_archived(key) as stored, translated():
            found = digest(stored, at_most=content.size)
    except FileNotFoundError:
        return Found.NOTHING
    return Found.SAME if found == content else Found.OTHER


def open_archived(key: str) -> IO[bytes]:
    """The object, to be read from its beginning. Raises FileNotFoundError, MediaTroubleError, ArchiveDownError."""
    with translated():
        opened: Any = archive().open(key, "rb")
        return opened  # type: ignore[no-any-return]


@contextmanager
def translated() -> Iterator[None]:
    """Tells troubles of one object from those of the archive. No message is passed on: paths stand in them."""
    try:
        yield
    except (FileNotFoundError, FileExistsError):
        raise
    except (IsADirectoryError, NotADirectoryError):
        raise MediaTroubleError(Trouble.NAME_TAKEN) from None
    except SuspiciousOperation:
        raise MediaTroubleError(Trouble.BAD_PATH) from None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            raise MediaTroubleError(Trouble.REFUSED) from None
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise ArchiveDownError(f"The media archive does not work: {name}.") from None


def _put(key: str, local: LocalFile) -> bool:
    """Whether it was stored; False where another object has just come there."""
    local.file.seek(0)
    try:
        with translated():
            name = archive().save(key, File(local.file, name=key))
    except FileExistsError:
        return False
    if name != key:
        raise ArchiveDownError("The media archive gives objects other names; see docs/media.md for what it must do.")
    return True


def _require_second_copy(key: str, local: LocalFile) -> None:
    """Raises ArchiveIsMediaRootError where what the archive has is the local file itself."""
    try:
        path = archive().path(key)
    except NotImplementedError:  # it is not on this machine
        return
    with translated():
        if local.is_same_as(Path(path).stat()):
            raise ArchiveIsMediaRootError
