"""Why jobs of a queue wait. Pure."""

from datetime import UTC, datetime, timedelta
from typing import Final

from ..durations import in_words
from .queue_health import QueueHealth, WorkerHealth
from .snapshot import Snapshot

SHORT: Final = (5.0, 60.0)  # seconds: by its queue's SLA, a job that runs for less is no reason why others wait
FASTER: Final = 1.1  # times as many jobs as end: what arrives is more than what is done
MANY: Final = 6.0  # jobs a minute; fewer are no stream


def late_since(one: QueueHealth, now: datetime) -> datetime | None:
    """When its oldest message had waited as long as the SLA allows; None: it has not, or that is not known."""
    age = one.status.oldest_age_seconds
    if age is None or age <= one.queue.sla_seconds:
        return None
    return now - timedelta(seconds=age - one.queue.sla_seconds)


def cause_and_remedy(one: QueueHealth, snapshot: Snapshot) -> tuple[str, str]:
    """Why it waits, as far as that can be told, and what to do; of a queue that is not paused."""
    name, serve = one.name, one.status.serve
    if snapshot.broker.refused:
        return "the broker takes no writes, so no job can start", "Give it memory or disk."
    if serve is None:
        return "who serves it is not known", f"Start more workers for {name}, or look for one slow job."
    if snapshot.workers is not None and not any(worker.alive for worker in snapshot.workers):
        return "no worker runs", f"Start a worker for {name}."
    serving = [worker for worker in snapshot.workers or () if worker.alive and worker.serves(name)]
    if serve == 0 and not serving:
        return "no worker serves it", f"Start a worker for {name}."
    if one.status.waits:
        return "a worker is just being woken", "Look again; if it stays so, read the log of its worker."
    slots = _slots(serving)
    if slots is not None and slots[0] < slots[1]:
        return (
            f"{slots[0]} of the {slots[1]} slots that serve it are busy, and the others do not take its jobs",
            "Read the log of its workers; restart one that hangs.",
        )
    return _of_the_busy(one, serving, slots, snapshot.at)


def _of_the_busy(
    one: QueueHealth, serving: list[WorkerHealth], slots: tuple[int, int] | None, now: datetime
) -> tuple[str, str]:
    busy = "all workers that serve it are busy" if slots is None else f"all {slots[1]} slots that serve it are busy"
    longest = _longest(serving, now)
    if longest is not None and longest[1].total_seconds() >= min(max(one.queue.sla_seconds, SHORT[0]), SHORT[1]):
        return (
            f"{busy}, the longest with {longest[0]} for {in_words(longest[1].total_seconds())}",
            f"Start more workers for {one.name}, or let long jobs have a pool of their own.",
        )
    arrive, end = (one.numbers.arrive_per_minute, one.numbers.end_per_minute) if one.numbers else (0.0, 0.0)
    if arrive >= MANY and arrive > end * FASTER:
        return f"{arrive:.0f} jobs a minute arrive and {end:.0f} end", f"Start more workers for {one.name}."
    return busy, f"Start more workers for {one.name}, or look for one slow job."


def _slots(serving: list[WorkerHealth]) -> tuple[int, int] | None:
    """How many are busy, of how many; None where a worker does not say."""
    told = [
        (card.busy, card.slots) for worker in serving if (card := worker.card) is not None and card.slots is not None
    ]
    if not told or len(told) < len(serving):
        return None
    return sum(busy for busy, _ in told), sum(slots for _, slots in told)


def _longest(serving: list[WorkerHealth], now: datetime) -> tuple[str, timedelta] | None:
    """Task and time of the job that has run for longest; None where nobody says."""
    jobs = [job for worker in serving if worker.card is not None for job in worker.card.jobs]
    if not jobs:
        return None
    oldest = min(jobs, key=lambda job: job.since)
    return oldest.task, now - datetime.fromtimestamp(oldest.since, UTC)
