"""A report's file, checked against its row before anybody gets it."""

import hashlib
import os
from typing import IO, Final

from django.core.exceptions import SuspiciousOperation

from apps.core.exceptions import PermanentError

from .files import path_of
from .models import GeneratedReport

LARGEST_ATTACHMENT: Final = 10 * 1024 * 1024  # bytes; a larger file is handed out by a link
PORTION: Final = 1024 * 1024  # bytes read at a time


class UnusableFileError(PermanentError):
    """The report's file is missing, or is not the one that was made."""


def open_file(report: GeneratedReport) -> IO[bytes]:
    """The file, from its beginning. Raises UnusableFileError where it is missing or of another size."""
    try:
        file = path_of(report).open("rb")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        raise UnusableFileError("Its file is missing.") from None
    except (PermanentError, SuspiciousOperation, ValueError):
        raise UnusableFileError("Its file is not where reports are kept.") from None
    size = os.fstat(file.fileno()).st_size
    if size != report.size:
        file.close()
        raise UnusableFileError(f"Its file has {size} bytes instead of {report.size}.")
    return file


def checked_content(report: GeneratedReport) -> bytes | None:
    """The whole file where it can be attached, else None. Raises UnusableFileError where it is not the one made."""
    kept: list[bytes] | None = [] if report.size <= LARGEST_ATTACHMENT else None
    digest = hashlib.sha256()
    with open_file(report) as file:
        while portion := file.read(PORTION):
            digest.update(portion)
            if kept is not None:
                kept.append(portion)
    if digest.hexdigest() != report.sha256:
        raise UnusableFileError("Its file is not the one that was made: the SHA-256 differs.")
    return None if kept is None else b"".join(kept)
