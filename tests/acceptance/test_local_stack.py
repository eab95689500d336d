"""`make run`, `make services` and `make stop`, as their user meets them."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

import psutil
import psycopg
import pytest
import redis

from apps.core.redis_client import connect
from deploy.local import ports, postgres_place

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CHECKOUT = Path(__file__).resolve().parents[2]
SERVERS_OF_THIS_TEST_RUN = ("DATABASE_URL", "BROKER_URL", "RESULT_URL", "SMTP_URL", "DJANGO_SETTINGS_MODULE")
POOL_NAMES = ("critical", "high_priority", "messages", "reports", "maintenance", "ml_training")


def _command_line(process: psutil.Process) -> str:
    """Nothing, where it has just ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


class Machine:
    """A state dir and a port of one's own, and what runs there."""

    def __init__(self, state_dir: Path) -> None:
        self.state_dir = state_dir
        self.port = ports.choose(state_dir, ("web",))["web"]
        self.screen = state_dir.with_suffix(".screen")
        inherited = {name: value for name, value in os.environ.items() if name not in SERVERS_OF_THIS_TEST_RUN}
        self.environment = inherited | {"STATE_DIR": str(state_dir), "PORT": str(self.port)}

    def call(self, command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        arguments = [sys.executable, "-m", "deploy.local", command]
        return subprocess.run(
            arguments,
            cwd=CHECKOUT,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=90,
        )

    def run(self) -> "subprocess.Popen[str]":
        """`run`, with everything up."""
        with self.screen.open("w") as screen:
            process = subprocess.Popen(
                [sys.executable, "-m", "deploy.local", "run"],
                cwd=CHECKOUT,
                env=self.environment,
                stdout=screen,
                stderr=screen,
                text=True,
                start_new_session=True,
            )
        assert within(90, lambda: "Ctrl-C stops everything" in self.shown() or process.poll() is not None)
        assert process.poll() is None, self.shown()
        return process

    def shown(self) -> str:
        return self.screen.read_text()

    def log(self, name: str) -> str:
        return (self.state_dir / "log" / f"{name}.log").read_text()

    def processes(self) -> list[psutil.Process]:
        """All processes that belong to this state dir, however they were started."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE:
                    traces = f"{process.environ().get('STATE_DIR')} {process.cwd()} {' '.join(process.cmdline())}"
                    if str(self.state_dir) in traces or postgres_place.name_elsewhere(self.state_dir) in traces:
                        found.append(process)
            except psutil.Error:
                continue
        return found

    def process(self, *parts: str) -> psutil.Process:
        """The main process whose command line holds all of `parts`."""
        lines = {each: _command_line(each) for each in self.processes()}
        matching = [each for each, line in lines.items() if all(part in line for part in parts)]
        return min(matching, key=lambda each: each.create_time())

    def end(self) -> None:
        self.call("stop")
        for process in self.processes():
            process.kill()
        self.call("discard")


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    (tmp_path / "state").mkdir()
    machine = Machine(tmp_path / "state")
    yield machine
    machine.end()


def within(seconds: float, condition: Callable[[], object]) -> bool:
    until = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(0.1)
    return True


def exported(text: str) -> dict[str, str]:
    return dict(re.findall(r"^export (\w+)=(\S+)$", text, re.MULTILINE))


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def test_services_start_once_serve_and_end_without_a_trace(machine: Machine) -> None:
    started = machine.call("services")
    assert started.returncode == 0, started.stderr
    addresses = exported(started.stdout)
    with psycopg.connect(addresses["DATABASE_URL"]) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)
    with connect(addresses["BROKER_URL"]) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}
    assert exported(machine.call("services").stdout) == addresses
    with pytest.raises(redis.AuthenticationError), redis.Redis(port=redis_port(addresses)) as stranger:
        stranger.ping()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(re.sub(r":[^:@]+@", ":guess@", addresses["DATABASE_URL"]))

    stopped = machine.call("stop")
    assert "Ended the embedded servers" in stopped.stdout
    assert machine.processes() == []
    assert list((machine.state_dir / "running").iterdir()) == []
    assert not (machine.state_dir / "services.json").exists()
    again = machine.call("stop")
    assert (again.returncode, again.stdout) == (0, "Nothing is running.\n")


def redis_port(addresses: dict[str, str]) -> int:
    return int(addresses["BROKER_URL"].rsplit(":", 1)[1].split("/")[0])


def test_the_plain_commands_say_what_to_do_without_servers(machine: Machine) -> None:
    arguments = [sys.executable, "-m", "celery", "-A", "intelliwiz_config", "worker", "-Q", "critical"]
    done = subprocess.run(
        arguments, cwd=CHECKOUT, env=machine.environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert "make services" in lines(done.stderr)[-1]
    assert "Traceback" not in done.stderr


def test_a_run_serves_survives_kills_and_ends_in_time(machine: Machine) -> None:
    run = machine.run()
    may_sign_in(machine)
    assert "Traceback" not in machine.shown()
    second = machine.call("run")
    assert second.returncode == 1
    assert lines(second.stderr)[-1].startswith(f"Already running (pid {run.pid}): open http://127.0.0.1")

    critical = machine.process("--hostname=critical@")
    valkey = machine.process("valkey-server")
    critical.kill()
    valkey.kill()
    assert within(20, lambda: machine.log("critical").count(" ready.") >= 2)
    assert within(20, lambda: "Ready to accept connections" in machine.log("valkey").split("started again")[-1])
    assert "ended; it is started again" in machine.log("critical")

    begun = time.monotonic()
    run.send_signal(signal.SIGINT)
    assert run.wait(timeout=15) == 0
    assert time.monotonic() - begun < 10
    assert within(1, lambda: machine.processes() == [])
    assert list((machine.state_dir / "running").iterdir()) == []
    assert not (machine.state_dir / "tmp").exists()


def may_sign_in(machine: Machine) -> None:
    login = re.search(r"Login +(\S+) / (\S+)", machine.shown())
    assert login is not None
    jar = CookieJar()
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
    page = f"http://127.0.0.1:{machine.port}/admin/login/"
    browser.open(page).read()
    token = next(cookie.value for cookie in jar if cookie.name == "csrftoken")
    form = {"username": login[1], "password": login[2], "csrfmiddlewaretoken": token, "next": "/mail/"}
    with browser.open(page, data=urlencode(form).encode()) as answer:
        assert answer.url.endswith("/mail/")
        assert "Caught mails" in answer.read().decode()


def test_a_killed_run_leaves_nothing_and_does_not_hinder_the_next(machine: Machine) -> None:
    run = machine.run()
    run.kill()
    run.wait()
    assert within(15, lambda: machine.processes() == [])
    next_run = machine.run()
    assert "Cleaned up" in machine.shown()
    assert machine.call("stop").stdout.startswith("Ended what `make run` started")
    assert next_run.wait(timeout=15) == 0
    assert machine.processes() == []


def test_a_run_uses_servers_that_run_already_and_leaves_them_running(machine: Machine) -> None:
    addresses = exported(machine.call("services").stdout)
    run = machine.run()
    assert "Using the servers that run already" in machine.shown()
    run.send_signal(signal.SIGTERM)
    assert run.wait(timeout=15) == 0
    with connect(addresses["BROKER_URL"]) as client:
        assert client.ping()


def test_a_taken_port_is_one_line_that_offers_another(machine: Machine) -> None:
    import socket

    with socket.create_server(("127.0.0.1", machine.port)):
        done = machine.call("run")
    assert done.returncode == 1
    assert lines(done.stderr) == [
        f"Port {machine.port} is taken by another program: "
        f"end that, or choose another port with `PORT={machine.port + 1} make run`."
    ]
    assert machine.processes() == []


def test_a_state_dir_that_cannot_be_written_is_one_line(machine: Machine) -> None:
    (machine.state_dir / "file").touch()
    for command in ("run", "services"):
        done = machine.call(command, STATE_DIR=str(machine.state_dir / "file" / "var"))
        assert done.returncode == 1
        assert len(lines(done.stderr)) == 1
        assert "STATE_DIR" in done.stderr


def test_a_server_that_does_not_start_is_one_line_with_its_reason(machine: Machine) -> None:
    machine.call("services")
    machine.call("stop")
    data = next(place for place in data_folders(machine) if place.exists())
    shutil.rmtree(data / "global")
    done = machine.call("services")
    assert done.returncode == 1
    assert lines(done.stderr)[-1].startswith("postgres does not start: ")
    assert "postgres.log" in done.stderr
    assert "Traceback" not in done.stderr
    assert machine.processes() == []


def data_folders(machine: Machine) -> list[Path]:
    elsewhere = postgres_place.ELSEWHERE / postgres_place.name_elsewhere(machine.state_dir)
    return [machine.state_dir / "postgres" / "data", elsewhere / "data"]
