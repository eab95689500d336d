"""A worker that dies between any two steps: the next run finishes, no file is lost and none is doubled."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection

from apps.media import moving
from apps.media.local_file import LocalFile

from .collection import MOVED, STILL_HERE, Collection, state
from .s3_server import BUCKET

SCRIPT = Path(__file__).with_name("killed_at.py")
STEPS = ("media.uploaded", "media.verified", "media.committed", "media.removed")
Location = moving.Location


class Killed(BaseException):
    """The end of the process, where it is not worth a process."""


def counts_after(step: str) -> dict[str, int]:
    """What the next run counts of the file, and of two that the killed run has not come to."""
    if step in ("media.committed", "media.removed"):
        return {"scanned": 3, "cleared": 1, "moved": 2, "bytes": 18}
    return {"scanned": 3, "moved": 3, "bytes": 27}


def require_finished(s3, media: Collection, rows) -> None:
    assert [state(row) for row in rows] == [MOVED] * 3
    assert s3.objects() == {media.key(row.path): b"a picture" for row in rows}
    assert not list(media.folder.iterdir())
    assert media.move() == {"scanned": 3, "skipped": 3}


@pytest.mark.django_db
@pytest.mark.parametrize("step", STEPS)
def test_the_next_run_finishes(s3, media, at_step, step):
    rows = [media.add(f"{n}.jpg") for n in range(3)]
    killing = [True]

    def die(media_id):
        if killing:
            raise Killed

    at_step(step, die)
    with pytest.raises(Killed):
        media.move()
    was_moved = step in ("media.committed", "media.removed")
    assert state(rows[0]) == (("CLOUD", False, "") if was_moved else STILL_HERE)
    assert (media.folder / "0.jpg").exists() == (step != "media.removed")
    stored = s3.client.head_object(Bucket=BUCKET, Key=media.key("0.jpg"))["LastModified"]

    killing.clear()
    assert media.move() == counts_after(step)
    require_finished(s3, media, rows)
    assert s3.client.head_object(Bucket=BUCKET, Key=media.key("0.jpg"))["LastModified"] == stored


@pytest.mark.django_db
def test_a_local_file_that_is_left_behind_is_removed_only_when_the_archive_has_it(s3, media, monkeypatch):
    row = media.add()
    with monkeypatch.context() as patch:
        patch.setattr(LocalFile, "remove", lambda self: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            media.move()
    s3.put(media.key("gate.jpg"), b"A picture")
    assert media.move()["errors"] == [{"id": row.pk, "reason": "NAME_TAKEN"}]
    assert (media.folder / "gate.jpg").exists()
    s3.client.delete_object(Bucket=BUCKET, Key=media.key("gate.jpg"))
    assert media.move() == {"scanned": 1, "cleared": 1}  # stored once more
    assert s3.read(media.key("gate.jpg")) == b"a picture"
    assert state(row) == MOVED


def move_until_killed(step: str, media: Collection, rows, environment: dict[str, str]) -> None:
    """Run the script on the test's own database."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}")
    killed = subprocess.run(
        [sys.executable, SCRIPT, step, str(media.tenant.pk), ",".join(str(row.pk) for row in rows)],
        env={
            **os.environ,
            "DATABASE_URL": database.geturl(),
            "PYTHONPATH": str(Path.cwd()),
            "MEDIA_FILES_DIR": str(settings.MEDIA_FILES_ROOT),
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("step", ["media.uploaded", "media.committed"])
def test_the_next_run_finishes_what_a_killed_process_has_begun(s3, media, step):
    rows = [media.add(f"{n}.jpg") for n in range(3)]
    move_until_killed(
        step,
        media,
        rows,
        {
            "MEDIA_S3_BUCKET": BUCKET,
            "MEDIA_S3_ENDPOINT_URL": s3.url,
            "MEDIA_S3_REGION": "us-east-1",
            "MEDIA_S3_ADDRESSING_STYLE": "path",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        },
    )
    assert state(rows[0]) == (("CLOUD", False, "") if step == "media.committed" else STILL_HERE)
    assert len(s3.objects()) == 1
    assert len(list(media.folder.iterdir())) == 3
    assert media.move() == counts_after(step)
    require_finished(s3, media, rows)


@pytest.mark.django_db(transaction=True)
def test_a_process_that_is_killed_while_it_writes_into_a_folder_leaves_no_half_an_object(folder, media):
    row = media.add()
    move_until_killed("writing", media, [row], {"MEDIA_ARCHIVE_DIR": str(folder)})
    assert [path.name for path in folder.iterdir() if path.is_dir() and any(path.iterdir())] == [".incoming"]
    assert state(row) == STILL_HERE
    assert media.move() == {"scanned": 1, "moved": 1, "bytes": 9}
    assert (folder / media.key("gate.jpg")).read_bytes() == b"a picture"
