"""Three beats on a clock 60 times as fast, one of which is killed every few seconds, and what they have fired."""

import json
import os
import random
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import redis

from apps.core.models import Firing, OutboxMessage, ScheduleState
from apps.core.relaying import chores
from apps.core.schedules.firings import firings_between

from ..workers import CELERY
from . import fast

BEATS: Final = 3
KILLED_EVERY: Final = 4.0  # seconds
LATEST: Final = 2.0  # seconds of real time from the first moment at which a beat was alive
PATIENCE: Final = 60.0  # seconds for a beat to start, on a busy machine
QUEUE: Final = "maintenance"


class Beat:
    """A process, which counts as alive from the line with which Celery's beat begins."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.alive_from: float | None = None
        self.alive_until: float | None = None
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [*CELERY, "beat", "--loglevel=info", "-S", f"{fast.__name__}:FastScheduler"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**environment, "PYTHONUNBUFFERED": "1"},
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            if "beat: Starting..." in line:
                self.alive_from = time.time()
        self.alive_until = time.time()

    def end(self, how: signal.Signals) -> int:
        """Returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        assert self.process.stdout
        self.process.stdout.close()
        return code


@dataclass(kw_only=True)
class Verdict:
    seconds: float
    kills: int = 0
    fired: int = 0
    worst: float = 0.0  # seconds of real time
    broken: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.seconds:.0f} s, {self.kills} beats killed, {self.fired} firings, the latest "
            f"{self.worst:.3f} s after the first moment at which a beat was alive"
        )


def run(seconds: float, *, seed: int, environment: Mapping[str, str], broker: redis.Redis) -> Verdict:
    """Beats on the database of this process, which `environment` names, too. The queue has to be empty."""
    os.environ[fast.BEGAN_AT] = str(time.time())
    environment = {**environment, fast.BEGAN_AT: os.environ[fast.BEGAN_AT]}
    verdict, chance = Verdict(seconds=seconds), random.Random(seed)
    beats = [Beat(environment) for _ in range(BEATS)]
    ended: list[Beat] = []
    try:
        wait_until(lambda: any(beat.alive_from for beat in beats), PATIENCE)
        end = time.time() + seconds
        while (left := end - time.time()) > 0:
            time.sleep(min(left, KILLED_EVERY))
            if left <= KILLED_EVERY:
                break
            victim = chance.randrange(BEATS)
            died = beats[victim]
            beats[victim] = Beat(environment)
            died.end(signal.SIGKILL)
            ended.append(died)
            verdict.kills += 1
        end = time.time()
        wait_until(lambda: not OutboxMessage.objects.exists() or relayed(), PATIENCE)
    finally:
        for beat in beats:
            beat.end(signal.SIGTERM)
    wait_until(lambda: not OutboxMessage.objects.exists() or relayed(), PATIENCE)
    judge(verdict, [*ended, *beats], until=fast.shown(end - LATEST), broker=broker)
    return verdict


def relayed() -> bool:
    """Do what a relay does. Returns False, since there may be more to do."""
    for chore in chores():
        chore()
    return False


def judge(verdict: Verdict, beats: list[Beat], *, until: datetime, broker: redis.Redis) -> None:
    rows = {(row.entry, row.due): row for row in Firing.objects.all()}
    verdict.fired = sum(bool(row.job) for row in rows.values())
    for entry in fast.TIMETABLE:
        since = ScheduleState.objects.get(name=entry.name).since
        due = set(firings_between(entry.schedule, since, until))
        known = {instant for name, instant in rows if name == entry.name and instant <= until}
        verdict.broken += [f"{entry.name} {instant} was not fired" for instant in sorted(due - known)]
        verdict.broken += [f"{entry.name} {instant} is no due instant" for instant in sorted(known - due)]
    for (name, instant), row in rows.items():
        if row.outcome != Firing.Outcome.ENQUEUED or row.enqueued_at is None:
            verdict.broken.append(f"{name} {instant} is {row.outcome}: {row.why}")
            continue
        late = fast.moment_of(row.enqueued_at) - first_alive(beats, fast.moment_of(instant))
        verdict.worst = max(verdict.worst, late)
        if late > LATEST:
            verdict.broken.append(f"{name} {instant} came {late:.1f} s late")
    headers = [json.loads(text)["headers"] for text in broker.lrange(QUEUE, 0, -1)]
    jobs = Counter((one["bgjobs_entry"], datetime.fromisoformat(one["bgjobs_firing"])) for one in headers)
    verdict.broken += [f"{place} has {count} jobs" for place, count in jobs.items() if count != 1]
    recorded = {row.job for row in rows.values() if row.job}
    if {one["id"] for one in headers} != recorded or len(headers) != len(recorded):
        verdict.broken.append(f"{len(headers)} jobs on the broker, {len(recorded)} in the rows, and not the same")


def first_alive(beats: list[Beat], moment: float) -> float:
    """The first moment, not before `moment`, at which a beat was alive."""
    return min(
        max(moment, beat.alive_from) for beat in beats if beat.alive_from and (beat.alive_until or moment) >= moment
    )


def wait_until(answer: Callable[[], object], patience: float) -> None:
    until = time.monotonic() + patience
    while not answer():
        if time.monotonic() > until:
            raise TimeoutError("it has not come true in time")
        time.sleep(0.05)
