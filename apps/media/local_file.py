"""A file in the media root, reached without following any symbolic link.

Each folder is opened relative to the one before it, so nothing that is swapped after a look can lead elsewhere: what
was opened is what is looked at, read and removed.
"""

import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO, Final

from django.conf import settings

from .digest import Digest, digest
from .paths import parts_of
from .trouble import MediaRootError, MediaTroubleError, Trouble

FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# A named pipe that takes a file's place after the look must not block us.
FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
Fingerprint = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalFile:
    """An open regular file. Close it."""

    file: BinaryIO
    folder: int  # a descriptor of the folder that it is in
    name: str  # there
    fingerprint: Fingerprint  # when it was opened

    @property
    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    def digest(self, *, at_most: int | None = None) -> Digest:
        """Of its content now; see `digest`. Raises MediaTroubleError."""
        try:
            self.file.seek(0)
            return digest(self.file, at_most=at_most)
        except OSError as error:
            raise MediaTroubleError.of_local(error) from None

    def remove(self) -> None:
        """Remove this very file; one that is gone already is fine.

        Raises MediaTroubleError where it was changed or replaced since it was opened, and where that cannot be done.
        """
        try:
            if _fingerprint(os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)) != self.fingerprint:
                raise MediaTroubleError(Trouble.CHANGED_MEANWHILE)
            os.unlink(self.name, dir_fd=self.folder)
        except FileNotFoundError:
            return
        except OSError:
            raise MediaTroubleError(Trouble.NOT_REMOVED) from None

    def is_same_as(self, other: os.stat_result) -> bool:
        """Whether `other` is this file under another name; its device is another one where it is mounted twice."""
        return _fingerprint(other)[1:4] == self.fingerprint[1:4]

    def released(self) -> BinaryIO:
        """The file alone, for reading. Close that instead."""
        os.close(self.folder)
        return self.file

    def close(self) -> None:
        self.file.close()
        os.close(self.folder)


def open_local(tenant_id: int, path: str) -> LocalFile:
    """Open a tenant's file. Raises MediaTroubleError, or MediaRootError where there is no media root."""
    *folders, name = parts_of(path)
    try:
        folder = _open_folder((str(tenant_id), *folders))
    except OSError as error:
        raise MediaTroubleError.of_local(error) from None
    try:
        return _open_in(folder, name)
    except BaseException:
        os.close(folder)
        raise


def _open_folder(parts: Iterable[str]) -> int:
    folder = _open_root()
    for part in parts:
        try:
            inner = os.open(part, FOLDER | os.O_NOFOLLOW, dir_fd=folder)
        finally:
            os.close(folder)
        folder = inner
    return folder


def _open_root() -> int:
    try:
        return os.open(settings.MEDIA_FILES_ROOT, FOLDER)
    except OSError:
        raise MediaRootError from None


def _open_in(folder: int, name: str) -> LocalFile:
    try:
        # Looked at before it is opened, since opening some devices does something, and once more behind it.
        _require_regular(os.stat(name, dir_fd=folder, follow_symlinks=False))
        file = os.fdopen(os.open(name, FILE, dir_fd=folder), "rb")
    except OSError as error:
        raise MediaTroubleError.of_local(error) from None
    found = os.fstat(file.fileno())
    try:
        _require_regular(found)
    except MediaTroubleError:
        file.close()
        raise
    return LocalFile(file=file, folder=folder, name=name, fingerprint=_fingerprint(found))


def _require_regular(found: os.stat_result) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise MediaTroubleError(Trouble.NOT_A_FILE)


def _fingerprint(found: os.stat_result) -> Fingerprint:
    """What is the same as long as nobody has touched the file."""
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
