"""The commands that people type, word for word, in an activated environment."""

import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
WORKER = "celery -A intelliwiz_config worker -Q critical,high_priority,email --loglevel=info"
BEAT = "celery -A intelliwiz_config beat --loglevel=info"

pytestmark = pytest.mark.slow
Typed = Callable[[str], "subprocess.Popen[str]"]


def activated(**changes: str | None) -> dict[str, str]:
    """The environment of a shell in which .venv/bin/activate was sourced."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **changes}
    return {name: value for name, value in environment.items() if value is not None}


@pytest.fixture
def typed() -> Iterator[Typed]:
    started: list[subprocess.Popen[str]] = []

    def start(command: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            shlex.split(command),
            cwd=CHECKOUT,
            env=activated(PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert process.stdout
        process.stdout.close()


def output_until(process: "subprocess.Popen[str]", text: str) -> str:
    """What the process says up to a line with `text`; ends the process when that takes a minute."""
    deadline = threading.Timer(60, process.kill)
    deadline.start()
    lines = []
    assert process.stdout
    for line in process.stdout:
        lines.append(line)
        if text in line:
            break
    deadline.cancel()
    return "".join(lines)


def test_a_worker_starts_serves_its_queues_and_stops_on_ctrl_c(typed: Typed) -> None:
    process = typed(WORKER)
    said = output_until(process, " ready.")
    assert " ready." in said
    for queue in ("critical", "high_priority", "email"):
        assert f".> {queue}" in said
    assert ".> reports" not in said
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in output_until(process, "that line does not come")
    assert process.wait(20) == 1  # Celery's exit code for Ctrl-C; it is 0 for SIGTERM


def test_beat_starts_and_leaves_nothing_in_the_checkout(typed: Typed) -> None:
    before = {path.name for path in CHECKOUT.iterdir()}
    process = typed(BEAT)
    assert "beat: Starting..." in output_until(process, "beat: Starting...")
    output_until(process, '"event": "beat.')  # it has looked at its timetable, or says that there is no table
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert {path.name for path in CHECKOUT.iterdir()} <= before | {"__pycache__"}


@pytest.mark.parametrize(
    "command", [WORKER, BEAT, "python manage.py migrate", "python manage.py seed_demo --tenants 1"]
)
def test_without_its_servers_a_process_says_what_to_do_instead_of_a_traceback(command: str, tmp_path: Path) -> None:
    nothing = dict.fromkeys(("DATABASE_URL", "BROKER_URL", "RESULT_URL", "SMTP_URL"))
    environment = activated(
        **nothing, STATE_DIR=str(tmp_path), DJANGO_SETTINGS_MODULE="intelliwiz_config.settings.development"
    )
    ended = subprocess.run(
        shlex.split(command), cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode != 0
    assert "start them with `make services`" in ended.stderr
    assert "Traceback" not in ended.stderr
