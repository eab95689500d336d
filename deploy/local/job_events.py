"""What Celery's events tell of jobs and the jobs that come of them."""

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from celery import Celery
from celery.events import EventReceiver

from apps.core import broker

ENDED = frozenset({"task-succeeded", "task-failed", "task-revoked", "task-rejected"})


@dataclass(slots=True, kw_only=True)
class JobStory:
    """One job, as far as it has been heard of. All moments are seconds since the epoch."""

    id: str
    task: str = "?"
    queue: str = "?"
    root: str = ""  # the job that everything came of
    sent: float | None = None
    started: float | None = None
    ran: float | None = None  # seconds
    end: str | None = None  # succeeded, failed, revoked, rejected

    @property
    def waited(self) -> float | None:
        """Seconds from enqueuing to the start; two processes' clocks on one machine are one clock."""
        return None if self.sent is None or self.started is None else max(self.started - self.sent, 0.0)


@dataclass(slots=True)
class JobEvents:
    """A context manager that listens from its entry on. Workers and enqueuers must send events (TASK_EVENTS=1)."""

    broker_url: str
    jobs: dict[str, JobStory] = field(default_factory=dict)
    _listening: threading.Event = field(default_factory=threading.Event)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        if not self._listening.wait(10):
            raise TimeoutError("the broker did not let us listen to its events")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self._thread:
            self._thread.join(5)

    def descendants(self, roots: list[str]) -> list[JobStory]:
        return [job for job in list(self.jobs.values()) if job.root in roots or job.id in roots]

    def wait_for(self, roots: list[str], timeout: float) -> bool:
        """True once these jobs and all that came of them have ended; False after `timeout` seconds."""
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            heard = {job.id for job in self.descendants(roots)}
            if heard.issuperset(roots) and all(job.end for job in self.descendants(roots)):
                return True
            self._stopped.wait(0.05)
        return False

    def _listen(self) -> None:
        broker.register()
        with Celery(broker=self.broker_url, set_as_current=False) as app, app.connection_for_read() as connection:
            receiver: Any = EventReceiver(connection, handlers={"*": self._hear}, app=app)
            with receiver.consumer_context(wakeup=False) as (listening, _, _):
                self._listening.set()
                while not self._stopped.is_set():
                    with suppress(TimeoutError):
                        listening.drain_events(timeout=0.2)

    def _hear(self, event: dict[str, Any]) -> None:
        kind, job_id = event["type"], event.get("uuid")
        if not kind.startswith("task-") or job_id is None:
            return
        job = self.jobs.setdefault(job_id, JobStory(id=job_id))
        job.task = event.get("name") or job.task
        job.root = event.get("root_id") or job.root
        if kind == "task-sent":
            job.queue, job.sent = event["queue"], job.sent or event["timestamp"]
        elif kind == "task-started":
            job.started = job.started or event["timestamp"]
        elif kind in ENDED:
            job.end, job.ran = kind.removeprefix("task-"), event.get("runtime")
