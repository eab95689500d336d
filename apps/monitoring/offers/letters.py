"""What is done to dead letters."""

from typing import Final

from django import forms

from apps.core.dead_letters.models import DeadLetter
from apps.core.dead_letters.replay import Replay
from apps.core.dead_letters.selection import Selection
from apps.core.operating import RefusedError, count_letters, discard_letters, edit_and_retry, retry_letters
from apps.core.operating.letters import look_up
from apps.core.runs.query import BadQueryError, RunQuery
from apps.core.runs.words import in_words

from .offer import Ask, Offer, Outcome, Preview, ReasonForm, Target

SELECTS: Final = ("letter", "job", "fingerprint", "task", "queue", "reason_is", "q")
NAMED: Final = 5


class RetryForm(ReasonForm):
    release_key = forms.BooleanField(
        label="Release the idempotency keys first",
        required=False,
        help_text="Else a job whose key another one holds, or has ended under, is answered by that one.",
    )
    rate = forms.FloatField(
        label="Jobs a second",
        required=False,
        min_value=0.01,
        max_value=10_000,
        help_text="Empty: all at once.",
    )


class ArgumentsForm(ReasonForm):
    arguments = forms.CharField(
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
        help_text='All of them, as JSON: a list, as in [7], or an object of names, as in {"order_id": 7}.',
    )


def selection_of(target: Target) -> Selection:
    """The letters that the address names; see Selection. Raises RefusedError."""
    return Selection(
        names=(*target.all("letter"), *target.all("job")),
        task=target.one("task") or None,
        queue=target.one("queue") or None,
        reason=target.one("reason_is") or None,
        fingerprint=target.one("fingerprint") or None,
        runs=_query_in(target.one("q")),
    )


def _query_in(text: str) -> RunQuery | None:
    """As on the page of runs; None: nothing is asked for."""
    try:
        return RunQuery.parse(text) or None
    except BadQueryError as error:
        raise RefusedError(str(error)) from None


def _preview(target: Target, sentence: str) -> Preview:
    selection = selection_of(target)
    meant = look_up(selection, shown=NAMED)
    those = f" Meant are jobs with a run {in_words(selection.runs)}." if selection.runs else ""
    return Preview(
        sentence=f"{sentence}{those} Selected by: {selection}.",
        count=meant.count,
        names=tuple(f"{letter.task} {letter.job}" for letter in meant.latest),
    )


def _preview_retry(target: Target) -> Preview:
    return _preview(target, "These jobs run again, each exactly as it was enqueued.")


def _retry(ask: Ask) -> Outcome:
    how = Replay(release_key=ask.fields["release_key"], rate=ask.fields["rate"])
    return Outcome(row=retry_letters(selection_of(ask.target), how=how, **ask.signed()))


def _preview_discard(target: Target) -> Preview:
    return _preview(target, "These jobs are given up for good. They stay to be looked at, and are not run again.")


def _discard(ask: Ask) -> Outcome:
    return Outcome(row=discard_letters(selection_of(ask.target), **ask.signed()))


def _letter(target: Target) -> int:
    """Raises RefusedError."""
    number = target.one("letter")
    if number.isascii() and number.isdigit() and len(number) < 19:
        return int(number)
    raise RefusedError("Say which dead letter, by its number.")


def _preview_edit(target: Target) -> Preview:
    number = _letter(target)
    count = count_letters(Selection(names=(str(number),)))
    letter = DeadLetter.objects.get(pk=number)
    return Preview(sentence=f"Job {letter.job} of {letter.task} runs again with the arguments below.", count=count)


def _edit(ask: Ask) -> Outcome:
    return Outcome(row=edit_and_retry(_letter(ask.target), ask.fields["arguments"], **ask.signed()))


OFFERS_FOR_LETTERS: Final = (
    Offer(
        name="retry",
        action="replay-dead-letters",
        label="Retry",
        title="Run again what was given up",
        takes=SELECTS,
        preview=_preview_retry,
        act=_retry,
        form=RetryForm,
        needs_broker=False,  # the outbox takes them
    ),
    Offer(
        name="discard",
        action="discard-dead-letters",
        label="Discard",
        title="Give up for good",
        takes=SELECTS,
        preview=_preview_discard,
        act=_discard,
        needs_broker=False,
        destroys=True,
    ),
    Offer(
        name="edit_retry",
        action="replay-dead-letters",
        label="Edit and retry",
        title="Run again with other arguments",
        takes=("letter",),
        preview=_preview_edit,
        act=_edit,
        form=ArgumentsForm,
        needs_broker=False,
    ),
)
