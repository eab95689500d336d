"""What people and other apps do with media files: the front page of this app."""

from datetime import datetime
from typing import IO

from django.utils.timezone import is_naive

from apps.organization.models import Tenant

from .archive import open_archived
from .local_file import open_local
from .models import MediaFile
from .moving import move
from .paths import key_of
from .selecting import Portion, due_portions
from .trouble import ArchiveDownError, MediaRootError, MediaTroubleError, PathTakenError, Trouble

__all__ = [
    "ArchiveDownError",
    "MediaRootError",
    "MediaTroubleError",
    "PathTakenError",
    "Portion",
    "Trouble",
    "due_portions",
    "move",
    "open_media",
    "register",
]
Location = MediaFile.Location


def register(tenant: Tenant, path: str, taken_at: datetime) -> MediaFile:
    """The row of a file that lies in the tenant's folder of the media root; known files keep the row they have.

    Raises ValueError for a naive time, MediaTroubleError where there is no such file or its path is refused,
    PathTakenError where the path belongs to another content, MediaRootError.
    """
    if is_naive(taken_at):
        raise ValueError("taken_at must carry its time zone")
    local = open_local(tenant.pk, path)
    try:
        found = local.digest()
    finally:
        local.close()
    values = {"sha256": found.sha256, "size": found.size, "taken_at": taken_at}
    media, is_new = MediaFile.objects.get_or_create(tenant=tenant, path=path, defaults=values)
    if not is_new and (media.sha256, media.size) != (found.sha256, found.size):
        raise PathTakenError
    return media


def open_media(media: MediaFile) -> IO[bytes]:
    """The file's content from wherever it is, to be read from its beginning. Close it.

    Raises MediaTroubleError where it is nowhere, ArchiveDownError, MediaRootError.
    """
    if media.location == Location.LOCAL:
        try:
            return open_local(media.tenant_id, media.path).released()
        except MediaTroubleError as error:
            if error.trouble is not Trouble.MISSING:
                raise
            media.refresh_from_db()  # it may have been moved a moment ago
            if media.location == Location.LOCAL:
                raise
    try:
        return open_archived(key_of(media.tenant_id, media.path))
    except FileNotFoundError:
        raise MediaTroubleError(Trouble.MISSING) from None
