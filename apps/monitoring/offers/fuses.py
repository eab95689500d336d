"""What is done to whole tasks."""

from typing import Any, Final

from apps.core.operating import fuse_task, unfuse_task
from apps.core.operating.messages import known_task, messages

from .fields import SpanField
from .offer import Ask, Offer, Outcome, Preview, ReasonForm, Target


class FuseForm(ReasonForm):
    span = SpanField(label="For how long", help_text="From 1m to 1d, as in 30m.")


def _begin(_: Target) -> dict[str, Any]:
    return {"span": "30m"}


def _preview_fuse(target: Target) -> Preview:
    task = known_task(target.one("task"))
    return Preview(
        sentence=f"No job of {task} starts until the fuse ends: those whose turn it is are parked, spend no retry,"
        " and go on by themselves then. What runs runs on.",
        count=1,
    )


def _fuse(ask: Ask) -> Outcome:
    return Outcome(row=fuse_task(ask.target.one("task"), seconds=ask.fields["span"], **ask.signed()))


def _preview_unfuse(target: Target) -> Preview:
    task = target.one("task")
    fuse = messages().fuses().get(task)
    if fuse is None:
        return Preview(sentence=f"{task} is not fused.", count=0)
    return Preview(sentence=f"Jobs of {task} start again, the parked ones at once. {fuse.why}", count=None)


def _unfuse(ask: Ask) -> Outcome:
    return Outcome(row=unfuse_task(ask.target.one("task"), **ask.signed()))


OFFERS_FOR_TASKS: Final = (
    Offer(
        name="fuse",
        action="fuse-task",
        label="Stop this task for a while",
        title="Stop a task for a while",
        takes=("task",),
        preview=_preview_fuse,
        act=_fuse,
        form=FuseForm,
        initial=_begin,
    ),
    Offer(
        name="unfuse",
        action="unfuse-task",
        label="Let this task go on",
        title="Let a task go on",
        takes=("task",),
        preview=_preview_unfuse,
        act=_unfuse,
    ),
)
