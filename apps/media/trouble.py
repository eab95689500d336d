"""What keeps a media file from being moved. No message names a path: people's names stand in paths."""

import errno
from typing import Final, Self

from django.db import models

from apps.core.exceptions import PermanentError, TransientError


class Trouble(models.TextChoices):
    """What is wrong with one file; the others go on."""

    BAD_PATH = "BAD_PATH", "Its path is none inside the tenant's folder."
    MISSING = "MISSING", "There is no such file."
    NOT_A_FILE = "NOT_A_FILE", "A symbolic link, or something else than a file in folders, is in its place."
    UNREADABLE = "UNREADABLE", "The file cannot be read."
    SIZE_DIFFERS = "SIZE_DIFFERS", "The file has another size than the one that was registered."
    CHECKSUM_DIFFERS = "CHECKSUM_DIFFERS", "The file has another content than the one that was registered."
    NAME_TAKEN = "NAME_TAKEN", "The archive holds another object under its name."
    STORED_WRONG = "STORED_WRONG", "What the archive has stored is not what was sent."
    REFUSED = "REFUSED", "The archive does not take or give an object like this."
    CHANGED_MEANWHILE = "CHANGED_MEANWHILE", "The local file was changed while it was moved, so it is kept."
    NOT_REMOVED = "NOT_REMOVED", "It is in the archive, and the local file cannot be removed."
    UNEXPECTED = "UNEXPECTED", "Something unexpected; the log says where."


_BY_ERRNO: Final = {
    errno.ELOOP: Trouble.NOT_A_FILE,
    errno.ENXIO: Trouble.NOT_A_FILE,
    errno.ENAMETOOLONG: Trouble.BAD_PATH,
}


class MediaTroubleError(PermanentError):
    """A media file cannot be used as it stands; `trouble` says why."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.label)
        self.trouble = trouble

    @classmethod
    def of_local(cls, error: OSError) -> Self:
        """By the error with which a file in the media root could not be reached."""
        match error:
            case FileNotFoundError():
                return cls(Trouble.MISSING)
            case NotADirectoryError() | IsADirectoryError():
                return cls(Trouble.NOT_A_FILE)
        return cls(_BY_ERRNO.get(error.errno or 0, Trouble.UNREADABLE))


class PathTakenError(PermanentError):
    """The tenant has another media file at this path; give the new one another path."""


class MediaRootError(TransientError):
    """The folder MEDIA_FILES_ROOT cannot be opened; make or mount it."""


class ArchiveDownError(TransientError):
    """The media archive does not work; the files that were not moved are tried again."""


class ArchiveIsMediaRootError(PermanentError):
    """The media archive is the media root itself: moving would remove the only copy. Give it another folder."""
