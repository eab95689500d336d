"""The system checks of where media are kept, and the entries of STORAGES."""

from pathlib import Path
from typing import Any

import pytest

from apps.media.archive_options import folder_archive, s3_archive
from apps.media.checks import check_media_archive


def ids(settings: Any, archive: dict[str, Any] | None, root: Path) -> list[str | None]:
    settings.MEDIA_FILES_ROOT = root
    others = {name: entry for name, entry in settings.STORAGES.items() if name != "media_archive"}
    settings.STORAGES = others | ({"media_archive": archive} if archive else {})
    return [found.id for found in check_media_archive()]


def test_an_archive_apart_from_the_media_root_is_fine(settings: Any, tmp_path: Path) -> None:
    assert ids(settings, folder_archive(tmp_path / "archive"), tmp_path / "media") == []
    assert ids(settings, s3_archive(bucket_name="media"), tmp_path / "media") == []


@pytest.mark.parametrize(("archive", "root"), [("a", "a"), ("a/b", "a"), ("a", "a/b"), ("link", "a")])
def test_an_archive_inside_the_media_root_or_around_it_is_refused(
    settings: Any, tmp_path: Path, archive: str, root: str
) -> None:
    (tmp_path / "link").symlink_to("a")
    assert ids(settings, folder_archive(tmp_path / archive), tmp_path / root) == ["media.E002"]


@pytest.mark.parametrize(
    "archive",
    [None, {"BACKEND": "apps.nowhere.Archive"}, s3_archive(bucket_name="media", bucket="media")],
    ids=["none", "an unknown class", "an unknown option"],
)
def test_an_archive_that_cannot_be_made_is_refused(settings: Any, tmp_path: Path, archive: Any) -> None:
    assert ids(settings, archive, tmp_path) == ["media.E001"]


def test_options_that_say_nothing_are_left_to_the_library() -> None:
    options = s3_archive(bucket_name="media", endpoint_url="", region_name=None, create_only=False)["OPTIONS"]
    assert options == {"bucket_name": "media", "create_only": False}
