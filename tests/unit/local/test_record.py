import os
import subprocess
import sys
from dataclasses import asdict
from json import dumps
from pathlib import Path

import pytest

from deploy.local.record import Entry, Identity, Record, Taken, end_session, holder

HOLD = """
import sys, time
from pathlib import Path
from deploy.local.record import Record
Record(Path(sys.argv[1]), url="http://here/")
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.json"


def test_a_held_record_names_its_holder_and_leaves_nothing_behind(path: Path) -> None:
    with Record(path, url="http://here/"):
        entry = holder(path)
        assert entry is not None
        assert entry.holder == Identity.of(os.getpid())
        assert entry.url == "http://here/"
        with pytest.raises(Taken) as taken:
            Record(path)
        assert taken.value.entry == entry
    assert not path.exists()
    assert holder(path) is None


def test_a_record_of_a_killed_holder_is_nobodys(path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        entry = holder(path)
        other.kill()
    assert entry is not None
    assert entry.holder.pid == other.pid
    assert holder(path) is None
    with Record(path) as record:
        assert record.left_behind == entry


def test_what_a_killed_holder_left_running_is_ended_with_its_session(path: Path) -> None:
    script = "sleep 60 & sleep 60"
    with subprocess.Popen(["/bin/sh", "-c", script], start_new_session=True) as orphan:
        old = Identity(pid=2**22 + 1, started=0)
        path.write_text(dumps(asdict(Entry(holder=old, processes=(Identity.of(orphan.pid),)))))
        with Record(path) as record:
            assert record.end_left_behind()
        assert orphan.wait(timeout=10) != 0
    assert not Identity(pid=orphan.pid, started=0).is_alive()


def test_a_number_that_belongs_to_another_process_by_now_is_left_alone() -> None:
    with subprocess.Popen(["/bin/sleep", "60"], start_new_session=True) as other:
        stale = Identity(pid=other.pid, started=Identity.of(other.pid).started - 3600)
        assert not stale.is_alive()
        assert stale.end(grace=1)
        end_session(stale)
        assert other.poll() is None
        other.kill()


def test_a_record_that_was_cut_short_is_taken_over(path: Path) -> None:
    path.write_text('{"holder": {"pid"')
    with Record(path) as record:
        assert record.left_behind is None
