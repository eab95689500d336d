"""What is done to entries of the timetable."""

from typing import Final

from apps.core.operating import fire_entry, pause_entry, resume_entry
from apps.core.operating.schedules import plan_named

from .offer import Ask, Offer, Outcome, Preview, Target
from .queues import PauseForm


def _preview_fire(target: Target) -> Preview:
    plan = plan_named(target.one("entry"))
    return Preview(
        sentence=f"{plan.name} enqueues a job of {plan.task} at once. When it is due next stays as it is.", count=1
    )


def _fire(ask: Ask) -> Outcome:
    return Outcome(row=fire_entry(ask.target.one("entry"), **ask.signed()))


def _preview_pause(target: Target) -> Preview:
    plan = plan_named(target.one("entry"))
    return Preview(
        sentence=f"{plan.name} is not fired until the pause ends. Each of its moments meanwhile is recorded as"
        " paused, and none is caught up.",
        count=1,
    )


def _pause(ask: Ask) -> Outcome:
    seconds = ask.fields["span"] or 0
    return Outcome(row=pause_entry(ask.target.one("entry"), seconds=seconds, **ask.signed()))


def _preview_resume(target: Target) -> Preview:
    return Preview(sentence=f"{target.one('entry')} is fired again when it is due next.", count=1)


def _resume(ask: Ask) -> Outcome:
    return Outcome(row=resume_entry(ask.target.one("entry"), **ask.signed()))


OFFERS_FOR_SCHEDULES: Final = (
    Offer(
        name="fire",
        action="fire-entry",
        label="Run now",
        title="Run an entry of the timetable now",
        takes=("entry",),
        preview=_preview_fire,
        act=_fire,
        needs_broker=False,  # the outbox takes the job
    ),
    Offer(
        name="pause_entry",
        action="pause-entry",
        label="Pause",
        title="Pause an entry of the timetable",
        takes=("entry",),
        preview=_preview_pause,
        act=_pause,
        form=PauseForm,
        needs_broker=False,
    ),
    Offer(
        name="resume_entry",
        action="resume-entry",
        label="Resume",
        title="Resume an entry of the timetable",
        takes=("entry",),
        preview=_preview_resume,
        act=_resume,
        needs_broker=False,
    ),
)
