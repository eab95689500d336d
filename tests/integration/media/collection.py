"""Tenants with media files in a root of their own."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.media.models import MediaFile
from apps.media.services import move, register
from apps.organization.models import Tenant

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
Location = MediaFile.Location


class Collection:
    """A tenant's media. Files are as old as to be due unless `days` says otherwise."""

    def __init__(self, slug: str = "acme") -> None:
        self.tenant = Tenant.objects.create(slug=slug, name=slug.title())

    @property
    def folder(self) -> Path:
        return Path(settings.MEDIA_FILES_ROOT) / str(self.tenant.pk)

    def key(self, path: str) -> str:
        return f"{self.tenant.pk}/{path}"

    def file(self, path: str, content: bytes = b"a picture") -> Path:
        """Put a file into the root, without a row."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def add(self, path: str = "gate.jpg", content: bytes = b"a picture", days: float = 61) -> MediaFile:
        self.file(path, content)
        return register(self.tenant, path, NOW - days * DAY)

    def row(self, path: str, content: bytes = b"a picture", **fields: Any) -> MediaFile:
        """A row, without a file."""
        values = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "taken_at": NOW - 61 * DAY}
        return MediaFile.objects.create(tenant=self.tenant, path=path, **{**values, **fields})

    def rows(self, count: int) -> list[MediaFile]:
        sha256 = hashlib.sha256(b"").hexdigest()
        return MediaFile.objects.bulk_create(
            MediaFile(tenant=self.tenant, path=f"{n}.jpg", sha256=sha256, size=0, taken_at=NOW - 61 * DAY)
            for n in range(count)
        )

    def move(self, *rows: MediaFile, **options: Any) -> dict[str, Any]:
        """Move these, or all of the tenant's, as one job does; what was counted, without zeros, and errors if any."""
        ids = [row.pk for row in rows or self.tenant.media_files.all()]
        outcome = move(ids, **{"tenant_id": self.tenant.pk, "now": NOW, "budget_seconds": 3600, **options})
        counted: dict[str, Any] = {name: count for name, count in outcome.counts.items() if count}
        return counted | ({"errors": outcome.errors} if outcome.errors else {})


def state(row: MediaFile) -> tuple[str, bool, str]:
    """Where it is, whether its local file is known to be gone, and its trouble."""
    row.refresh_from_db()
    return (row.location, row.local_removed_at is not None, row.trouble)


MOVED = (Location.CLOUD, True, "")
STILL_HERE = (Location.LOCAL, False, "")


def failed(row: MediaFile, reason: str) -> dict[str, Any]:
    """What a move of this file alone counts when it fails."""
    return {"scanned": 1, "failed": 1, "errors": [{"id": row.pk, "reason": reason}]}
