"""Real beat processes on a clock 60 times as fast, killed with SIGKILL."""

import signal
import time

import pytest

from apps.core.models import Firing, OutboxMessage
from apps.core.schedules.firings import firings_between

from . import fast, trial
from .trial import Beat, wait_until

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def test_three_beats_of_which_one_is_killed_every_four_seconds(on_this_database, queued, server) -> None:
    assert queued() == []
    verdict = trial.run(12.5, seed=1, environment=on_this_database, broker=server)
    assert verdict.broken == []
    assert verdict.kills >= 3
    assert verdict.fired >= 20


def test_all_beats_killed_inside_the_transaction_of_a_firing(on_this_database, queued, server, monkeypatch) -> None:
    """Before its job is enqueued, and after: then another beat fires it, and nobody else does."""
    monkeypatch.setenv(fast.BEGAN_AT, str(time.time()))
    environment = on_this_database | {fast.BEGAN_AT: str(time.time())}
    steps = ("firing.written", "firing.enqueued", "firing.enqueued")
    dying = [Beat(environment | {fast.DIES_AT: step}) for step in steps]
    try:
        wait_until(lambda: all(beat.process.poll() is not None for beat in dying), trial.PATIENCE)
    finally:
        codes = [beat.end(signal.SIGKILL) for beat in dying]
    assert codes == [-signal.SIGKILL] * 3
    assert not Firing.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert queued() == []

    beat = Beat(environment)
    try:
        wait_until(Firing.objects.filter(entry="by_sevens").exists, trial.PATIENCE)
    finally:
        assert beat.end(signal.SIGTERM) == 0
    wait_until(lambda: not OutboxMessage.objects.exists() or trial.relayed(), trial.PATIENCE)
    fired = list(Firing.objects.filter(entry="each_minute").order_by("due").values_list("due", flat=True))
    (entry,) = (entry for entry in fast.TIMETABLE if entry.name == "each_minute")
    assert fired == firings_between(entry.schedule, fast.BEGINNING, fired[-1])[-len(fired) :]
    assert sorted(job["id"] for job in queued()) == sorted(
        Firing.objects.exclude(job="").values_list("job", flat=True)
    )
