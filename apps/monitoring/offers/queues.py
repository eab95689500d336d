"""What is done to queues."""

from typing import Final

from django import forms

from apps.core.broker.depths import QueueDepth
from apps.core.operating import pause_queue, purge_queue, restore_purged, resume_queue
from apps.core.operating.messages import known_queue, messages

from .fields import SpanField
from .offer import Ask, Offer, Outcome, Preview, ReasonForm, Target


class PauseForm(ReasonForm):
    span = SpanField(label="For how long", required=False, help_text="As in 30m or 2h. Empty: until it is resumed.")


class PurgeForm(ReasonForm):
    typed_name = forms.CharField(label="Type the name of the queue", strip=True)


def _depth(target: Target) -> tuple[str, QueueDepth]:
    name = known_queue(target.one("queue"))
    return name, messages().depths([name])[name]


def _preview_pause(target: Target) -> Preview:
    name, depth = _depth(target)
    again = f" It is paused already ({depth.pause.why}): the new pause takes its place." if depth.pause else ""
    return Preview(
        sentence=f"Workers take no more jobs of {name}; the {depth.ready:,} that wait now and all that come go on"
        f" waiting. The {depth.leased:,} that workers hold run on.{again}",
        count=1,
    )


def _pause(ask: Ask) -> Outcome:
    seconds = ask.fields["span"] or 0
    return Outcome(row=pause_queue(ask.target.one("queue"), seconds=seconds, **ask.signed()))


def _preview_resume(target: Target) -> Preview:
    name, depth = _depth(target)
    if depth.pause is None:
        return Preview(sentence=f"{name} is not paused: nothing would change.", count=0)
    return Preview(
        sentence=f"Workers take jobs of {name} again; {depth.ready:,} wait. It was paused by {depth.pause.why}.",
        count=1,
    )


def _resume(ask: Ask) -> Outcome:
    return Outcome(row=resume_queue(ask.target.one("queue"), **ask.signed()))


def _preview_purge(target: Target) -> Preview:
    name, depth = _depth(target)
    return Preview(
        sentence=f"All jobs that wait in {name} are set aside. They are kept for 24 hours and can be restored until"
        " then. What is delayed or in the hands of workers stays.",
        count=depth.ready,
    )


def _purge(ask: Ask) -> Outcome:
    typed = ask.fields["typed_name"]
    return Outcome(row=purge_queue(ask.target.one("queue"), typed_name=typed, **ask.signed()))


def _preview_restore(target: Target) -> Preview:
    name = known_queue(target.one("queue"))
    return Preview(sentence=f"What was purged from {name} within the last 24 hours waits there again.", count=None)


def _restore(ask: Ask) -> Outcome:
    return Outcome(row=restore_purged(ask.target.one("queue"), **ask.signed()))


OFFERS_FOR_QUEUES: Final = (
    Offer(
        name="pause",
        action="pause-queue",
        label="Pause",
        title="Pause a queue",
        takes=("queue",),
        preview=_preview_pause,
        act=_pause,
        form=PauseForm,
    ),
    Offer(
        name="resume",
        action="resume-queue",
        label="Resume",
        title="Resume a queue",
        takes=("queue",),
        preview=_preview_resume,
        act=_resume,
    ),
    Offer(
        name="purge",
        action="purge-queue",
        label="Purge",
        title="Purge a queue",
        takes=("queue",),
        preview=_preview_purge,
        act=_purge,
        form=PurgeForm,
        destroys=True,
    ),
    Offer(
        name="restore",
        action="restore-purged",
        label="Restore what was purged",
        title="Restore what was purged from a queue",
        takes=("queue",),
        preview=_preview_restore,
        act=_restore,
    ),
)
