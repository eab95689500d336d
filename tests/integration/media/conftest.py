"""A media root, an archive on a real S3 API, and what was enqueued.

Models are imported in the fixtures: pytest may load this file before Django is set up.
"""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from apps.core.redis_client import connect
from apps.core.testing import run_jobs

__all__ = ["run_jobs"]


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Any]:
    from .s3_server import S3Server

    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def media_root(settings: Any, tmp_path: Path) -> Path:
    root = tmp_path / "media"
    root.mkdir()
    settings.MEDIA_FILES_ROOT = root
    return root


@pytest.fixture
def s3(s3_server: Any, settings: Any, media_root: Path) -> Any:
    """The archive is an empty bucket."""
    from django.core.files.storage import storages

    s3_server.empty()
    settings.STORAGES = {**settings.STORAGES, "media_archive": s3_server.storage()}
    # One client for all tests: to make one takes longer than most of them.
    storages._storages["media_archive"] = s3_server.made_storage
    return s3_server


@pytest.fixture
def folder(settings: Any, media_root: Path, tmp_path: Path) -> Path:
    """The archive is an empty folder."""
    from apps.media.archive_options import folder_archive

    settings.STORAGES = {**settings.STORAGES, "media_archive": folder_archive(tmp_path / "archive")}
    return tmp_path / "archive"


@pytest.fixture
def media(db: None, media_root: Path) -> Any:
    from .collection import Collection

    return Collection()


@pytest.fixture
def at_step() -> Iterator[Callable[[str, Callable[..., None]], None]]:
    """`at_step("media.uploaded", act)`: call `act(media_id=…)` at each such step of this test."""
    from apps.core import steps

    connected: list[Any] = []

    def connect_observer(name: str, act: Callable[..., None]) -> None:
        def observer(step: str, media_id: int | None = None, **_: Any) -> None:
            if step == name:
                act(media_id=media_id)

        connected.append(observer)
        steps.observe(observer)

    yield connect_observer
    for observer in connected:
        steps._reached.disconnect(observer)


@pytest.fixture
def queued(valkey_url: str) -> Iterator[Callable[[], list[tuple[dict[str, Any], dict[str, Any]]]]]:
    """The headers and keyword arguments of the jobs that wait on the maintenance queue, oldest first."""

    def look() -> list[tuple[dict[str, Any], dict[str, Any]]]:
        messages = [json.loads(message) for message in reversed(client.lrange("maintenance", 0, -1))]
        return [(each["headers"], json.loads(base64.b64decode(each["body"]))[1]) for each in messages]

    with connect(valkey_url) as client:
        client.delete("maintenance")
        yield look
        client.delete("maintenance")
