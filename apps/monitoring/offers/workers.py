"""What is done to workers."""

from datetime import UTC, datetime
from typing import Final

from apps.core.health.queue_health import WorkerHealth
from apps.core.operating import RefusedError, quiet_worker, stop_worker

from ..looking import look
from .offer import Ask, Offer, Outcome, Preview, Target


def _preview(target: Target, sentence: str) -> Preview:
    node = target.one("worker")
    if not node:
        raise RefusedError("Say which worker.")
    worker = _worker(node)
    if worker is None or worker.card is None:
        return Preview(sentence=f"{node} {sentence} What it does now is unknown.", count=None)
    return Preview(
        sentence=f"{node} {sentence} It runs {len(worker.card.jobs)} jobs now, which run on to their ends.",
        count=1,
        names=tuple(f"{job.task} {job.job}" for job in worker.card.jobs),
    )


def _worker(node: str) -> WorkerHealth | None:
    workers = look(now=datetime.now(UTC)).snapshot.workers or ()
    return next((worker for worker in workers if worker.name == node), None)


def _preview_quiet(target: Target) -> Preview:
    return _preview(target, "takes no more jobs, of any queue, until it is started anew.")


def _quiet(ask: Ask) -> Outcome:
    return Outcome(row=quiet_worker(ask.target.one("worker"), **ask.signed()))


def _preview_stop(target: Target) -> Preview:
    return _preview(
        target, "ends once its jobs have ended. What watches over it, such as systemd, may start it anew."
    )


def _stop(ask: Ask) -> Outcome:
    return Outcome(row=stop_worker(ask.target.one("worker"), **ask.signed()))


OFFERS_FOR_WORKERS: Final = (
    Offer(
        name="quiet",
        action="quiet-worker",
        label="Quiet",
        title="Let a worker take no more jobs",
        takes=("worker",),
        preview=_preview_quiet,
        act=_quiet,
    ),
    Offer(
        name="stop",
        action="stop-worker",
        label="Stop",
        title="Stop a worker",
        takes=("worker",),
        preview=_preview_stop,
        act=_stop,
        destroys=True,
    ),
)
