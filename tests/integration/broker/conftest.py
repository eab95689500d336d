"""Servers, workers and the record of what jobs did, for tests of what the broker guarantees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from ..workers import Worker, eventually
from .broker_servers import BrokerServer
from .trial import Trial

JOBS = "--include=tests.integration.broker.trial_jobs"


@pytest.fixture(params=["valkey", "redis"])
def broker_server(request: pytest.FixtureRequest) -> Iterator[BrokerServer]:
    """A durable server of the test's own: of each kind once."""
    made = BrokerServer(request.param)
    yield made
    made.close()


@pytest.fixture
def valkey_server() -> Iterator[BrokerServer]:
    made = BrokerServer("valkey")
    yield made
    made.close()


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    """What jobs did, kept outside of any server."""
    return Trial(tmp_path / "trial.jsonl")


class Crew:
    """Workers of one test. `crew(server, "--pool=solo")` starts one; it is ready unless `wait` is False."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.started: list[Member] = []

    def __call__(self, server: BrokerServer, *arguments: str, wait: bool = True, **environment: str) -> "Member":
        surroundings = {"BROKER_URL": server.url, "TRIAL": str(self._trial.path)}
        made = Member(f"w{len(self.started)}", *arguments, environment=surroundings | environment)
        self.started.append(made)
        if wait:
            self.ready(made)
        return made

    def ready(self, worker: Worker) -> None:
        eventually(lambda: any(" ready." in line for line in worker.lines) or worker.process.poll() is not None)
        assert worker.process.poll() is None, "".join(worker.lines)

    def all_ready(self) -> None:
        for worker in self.started:
            if worker.process.poll() is None:
                self.ready(worker)

    def kill(self) -> None:
        for worker in self.started:
            if worker.process.poll() is None:
                worker.kill()


class Member(Worker):
    def __init__(self, name: str, *arguments: str, environment: dict[str, str]) -> None:
        self.name = f"{name}@test"
        names = (f"--hostname={self.name}", "--queues=high_priority")
        super().__init__(JOBS, *names, *arguments, environment=environment)

    @property
    def log(self) -> str:
        return "".join(self.lines)

    def is_up(self) -> bool:
        return self.process.poll() is None


@pytest.fixture
def crew(trial: Trial) -> Iterator[Crew]:
    made = Crew(trial)
    yield made
    made.kill()
    for worker in made.started:
        worker.stop()


class Show(Protocol):
    def __call__(self, text: str) -> None: ...


@pytest.fixture
def show(request: pytest.FixtureRequest) -> Show:
    """Writes what was measured into the test run's own output."""
    reporter: Any = request.config.pluginmanager.get_plugin("terminalreporter")
    capture: Any = request.config.pluginmanager.get_plugin("capturemanager")

    def write(text: str) -> None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"{request.node.name}: {text}")

    return write


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """A failed test shows what its workers said."""
    report = yield
    crew = getattr(item, "funcargs", {}).get("crew")
    if report.failed and isinstance(crew, Crew):
        report.sections += [(f"output of {worker.name}", worker.log[-4000:]) for worker in crew.started]
    return report
