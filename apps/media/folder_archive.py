"""The archive in a folder: for one machine, or for a mounted volume."""

import os
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from django.core.files.storage import FileSystemStorage

INCOMING: Final = ".incoming"  # what is being written; no tenant's folder has such a name
STALE: Final = 24 * 3600  # seconds; then whoever wrote it is dead


class FolderArchive(FileSystemStorage):
    """Objects appear whole and under their exact names, or not at all; an existing one is never replaced."""

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        return name

    def _save(self, name: str, content: Any) -> str:
        """Raises FileExistsError."""
        target = Path(self.path(name))
        self._make_folder(target.parent)
        unfinished = self._write(content)
        try:
            os.link(unfinished, target)  # unlike a rename it never replaces
        finally:
            unfinished.unlink(missing_ok=True)
        _sync_folder(target.parent)
        return name

    def _write(self, content: Any) -> Path:
        """Write to a file of its own, down to the disk: what is archived is removed elsewhere."""
        incoming = self._make_folder(Path(self.location) / INCOMING)
        _remove_stale(incoming)
        handle, name = tempfile.mkstemp(dir=incoming)
        try:
            with os.fdopen(handle, "wb") as file:
                for chunk in content.chunks():
                    file.write(chunk)
                file.flush()
                if self.file_permissions_mode is not None:
                    os.fchmod(file.fileno(), self.file_permissions_mode)
                os.fsync(file.fileno())
        except BaseException:
            Path(name).unlink()
            raise
        return Path(name)

    def _make_folder(self, folder: Path) -> Path:
        """Raises NotADirectoryError where an object is in its place."""
        mode = self.directory_permissions_mode
        missing = [one for one in (folder, *folder.parents) if not one.exists()]
        try:
            for one in reversed(missing):
                one.mkdir(mode=0o777 if mode is None else mode, exist_ok=True)
                _sync_folder(one.parent)
        except FileExistsError:
            raise NotADirectoryError from None
        return folder


def _remove_stale(incoming: Path) -> None:
    oldest = time.time() - STALE
    for one in incoming.iterdir():
        with suppress(FileNotFoundError):
            if one.stat().st_mtime < oldest:
                one.unlink()


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
