import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path

import psutil
import pytest

from deploy.local.command import Command
from deploy.local.errors import LocalError
from deploy.local.output import Terminal
from deploy.local.supervisor import Supervisor


@pytest.fixture
def screen() -> StringIO:
    return StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, screen: StringIO) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, Terminal(screen))
    yield supervisor
    supervisor.close()


def shell(script: str, name: str = "process", ready_text: str | None = "ready") -> Command:
    return Command(name=name, arguments=("/bin/sh", "-c", script), ready_text=ready_text)


def within(seconds: float, condition: Callable[[], object]) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.02)
    return True


def test_a_killed_process_is_started_again_at_once(supervisor: Supervisor) -> None:
    supervisor.start(shell("echo ready; exec sleep 60"))
    assert supervisor.wait_until_ready(["process"], 5) == []
    first = supervisor.pid("process")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    assert within(2, lambda: supervisor.pid("process") not in {None, first})


def test_a_process_that_keeps_dying_is_started_ever_less_often(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.start(shell("echo tried; exit 1"))
    log = tmp_path / "process.log"
    assert within(5, lambda: log.exists() and log.read_text().count("tried") >= 3)
    tries = log.read_text().count("tried")
    time.sleep(1)
    assert log.read_text().count("tried") <= tries + 2


def test_a_process_that_does_not_start_is_reported_with_its_last_words(supervisor: Supervisor) -> None:
    supervisor.start(shell("echo no room left; exit 1"))
    assert within(5, lambda: supervisor.names() and died(supervisor))


def died(supervisor: Supervisor) -> bool:
    try:
        supervisor.require_first_life("process")
    except LocalError as error:
        return "does not start" in str(error) and "process.log" in str(error)
    return False


def test_stopping_takes_the_whole_group_along(supervisor: Supervisor) -> None:
    supervisor.start(shell("sleep 60 & sleep 60 & trap '' TERM; echo ready; while :; do wait; done"))
    assert supervisor.wait_until_ready(["process"], 5) == []
    main = supervisor.pid("process")
    assert main is not None
    family = [psutil.Process(main), *psutil.Process(main).children()]
    begun = time.monotonic()
    supervisor.stop(["process"], grace=0.5)
    assert time.monotonic() - begun < 2
    assert within(2, lambda: not any(each.is_running() and each.status() != "zombie" for each in family))


def test_output_goes_to_the_terminal_and_the_log_and_last_words_to_the_log_only(
    supervisor: Supervisor, screen: StringIO, tmp_path: Path
) -> None:
    supervisor.start(shell("trap 'printf last; exit' TERM; echo one; sleep 60 & wait", ready_text="one"))
    assert supervisor.wait_until_ready(["process"], 5) == []
    supervisor.stop(["process"], grace=1)
    assert screen.getvalue() == "process       | one\n"
    assert (tmp_path / "process.log").read_text() == "one\nlast\n"


ORPHANING = """
import sys, time
from pathlib import Path
from deploy.local.command import Command
from deploy.local.output import Terminal
from deploy.local.supervisor import Supervisor
supervisor = Supervisor(Path(sys.argv[1]), Terminal(None))
supervisor.start(Command(name="child", arguments=("/bin/sh", "-c", "echo ready; sleep 60"), ready_text="ready"))
supervisor.wait_until_ready(["child"], 5)
print(supervisor.pid("child"), flush=True)
time.sleep(60)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_processes_end_with_a_supervisor_that_is_killed(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ORPHANING, str(tmp_path)], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
    assert within(3, lambda: not child.is_running())
