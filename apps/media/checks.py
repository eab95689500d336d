"""System checks of where media are kept."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import InvalidStorageError, Storage

from .archive import archive


def check_media_archive(**_: Any) -> list[CheckMessage]:
    """System checks: media.E001, the archive can be made; media.E002, it is apart from the media root."""
    try:
        storage = archive()
    except (InvalidStorageError, ImproperlyConfigured, ImportError, TypeError) as error:
        return [
            Error(
                f"STORAGES['media_archive'] cannot be made: {type(error).__name__}.",
                hint="Make it with folder_archive or s3_archive of apps.media.archive_options.",
                id="media.E001",
            )
        ]
    if not _overlaps(storage, Path(settings.MEDIA_FILES_ROOT)):
        return []
    return [
        Error(
            "The media archive and MEDIA_FILES_ROOT are one folder, or one is inside the other.",
            hint="Give the archive another folder in MEDIA_ARCHIVE_DIR: what is archived is removed from the root.",
            id="media.E002",
        )
    ]


def _overlaps(storage: Storage, root: Path) -> bool:
    try:
        folder = Path(storage.path("")).resolve()
    except NotImplementedError:  # it is not on this machine
        return False
    root = root.resolve()
    return folder.is_relative_to(root) or root.is_relative_to(folder)
