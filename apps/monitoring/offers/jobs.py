"""What is done to single jobs."""

from typing import Final

from apps.core.operating import RefusedError, reveal_arguments, revoke_jobs

from .offer import Ask, Offer, Outcome, Preview, Target

NAMED: Final = 50


def _preview_revoke(target: Target) -> Preview:
    jobs = tuple(dict.fromkeys(target.all("job")))
    if not jobs:
        raise RefusedError("Select the jobs first.")
    return Preview(
        sentence="These jobs do not start any more, wherever they wait and whoever enqueues them again."
        " What runs already runs on.",
        count=len(jobs),
        names=jobs[:NAMED],
    )


def _revoke(ask: Ask) -> Outcome:
    return Outcome(row=revoke_jobs(ask.target.all("job"), **ask.signed()))


def _preview_reveal(target: Target) -> Preview:
    return Preview(
        sentence=f"The arguments of {target.one('job')} are shown once as they are, personal data and secrets too."
        " The audit keeps that you have looked, not what you have seen.",
        count=1,
    )


def _reveal(ask: Ask) -> Outcome:
    job = ask.target.one("job")
    row, arguments = reveal_arguments(job, **ask.signed())
    return Outcome(row=row, template="monitoring/revealed.html", context={"job": job, "arguments": arguments})


OFFERS_FOR_JOBS: Final = (
    Offer(
        name="revoke",
        action="revoke-jobs",
        label="Revoke",
        title="Revoke jobs",
        takes=("job",),
        preview=_preview_revoke,
        act=_revoke,
        destroys=True,
    ),
    Offer(
        name="reveal",
        action="reveal-arguments",
        label="Show the arguments",
        title="Show arguments as they are",
        takes=("job",),
        preview=_preview_reveal,
        act=_reveal,
        needs_broker=False,  # a dead letter or the outbox may have them
    ),
)
