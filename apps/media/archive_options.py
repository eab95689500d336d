"""Entries for Django's STORAGES that make an archive."""

from pathlib import Path
from typing import Any


def folder_archive(folder: Path) -> dict[str, Any]:
    """An archive in a folder, readable by its own user only."""
    options = {"location": str(folder), "file_permissions_mode": 0o600, "directory_permissions_mode": 0o700}
    return {"BACKEND": "apps.media.folder_archive.FolderArchive", "OPTIONS": options}


def s3_archive(**options: Any) -> dict[str, Any]:
    """An archive in a bucket; options that are empty are left to the library and its AWS_* variables."""
    given = {name: value for name, value in options.items() if value not in ("", None)}
    return {"BACKEND": "apps.media.s3_archive.S3Archive", "OPTIONS": given}
