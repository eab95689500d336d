"""Why a job is not running, or what has become of it, in sentences: a pure function of what is known."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from ..broker.whereabouts import Place
from ..durations import in_words
from ..metrics import events as metrics
from ..stored import moment
from .facts import Stop, Story
from .wording import told

if TYPE_CHECKING:
    from ..outbox.models import OutboxMessage
    from ..runs.models import JobRun

A_MOMENT: Final = 1.0  # seconds
ENDED_UNWELL: Final = ("FAILURE", "REVOKED")  # states of stored results


def verdict(story: Story) -> Iterator[str]:
    """The first sentence is what counts now, those after it say why and what follows."""
    places = story.places
    for place in places:
        yield from _of_place(story, place)
    if story.whereabouts is not None and story.whereabouts.revoked_at is not None and not _is_over(story):
        yield "It was revoked: it will not start, and is dropped when it is claimed."
    if places:
        yield from _that_apply_wherever_it_is(story)
    elif story.row is not None:
        yield from _of_row(story, story.row)
    else:
        yield from _of_end(story)
    if not places and story.state is not None:
        yield f"Its stored result says {story.state}."
    if story.whereabouts is not None and not story.whereabouts.complete and not (places or _is_over(story)):
        yield _of_bound(story)
    yield from (f"Unknown: {what}." for what in story.unknown)


def _of_place(story: Story, place: Place) -> Iterator[str]:
    match place.kind:
        case "waiting":
            yield f"It waits in {place.queue}{_paused(story, place)}, behind {place.ahead} others."
            yield from _of_queue(story, place)
        case "delayed":
            yield from _of_delay(story, place)
        case "leased" if place.owner_alive:
            yield _of_work(story, place)
        case "leased":
            yield from _of_lost_lease(story, place)
        case "quarantined":
            reason = place.quarantined.reason if place.quarantined else "unknown"
            yield f"It has just been set aside ({reason}), and becomes a dead letter once a relay runs."


def _paused(story: Story, place: Place) -> str:
    pause = story.pauses.get(place.queue)
    return f", which is paused ({pause.why})" if pause else ""


def _of_queue(story: Story, place: Place) -> Iterator[str]:
    """What keeps its queue, or lets it go on."""
    queue = place.queue
    pause = story.pauses.get(queue)
    if pause is not None:
        until = moment(pause.until)
        ends = f"ends by itself at {told(until)}" if until else "lasts until somebody resumes it"
        yield f"The pause of {queue} {ends}."
    if story.served.get(queue) is False:
        yield f"No living worker serves {queue}: start one."
    elif pause is None and (rate := story.finishing.get(queue)) is not None:
        if rate > 0 and place.ahead:
            wait = in_words(place.ahead / rate * 60)
            yield f"Of {queue} about {rate:,.3g} jobs end in a minute now: its turn comes in about {wait}."
        elif place.ahead:
            yield f"No job of {queue} has ended within the last minutes: is a long one running?"


def _of_delay(story: Story, place: Place) -> Iterator[str]:
    where = f"{place.queue}{_paused(story, place)}"
    due = moment(place.due)
    until = f" until {told(due)}" if due else ""
    holder = _holder(story)
    headers = story.headers
    if due is not None and due <= story.at:
        yield f"It was delayed in {where}{until}: a living worker lets it wait in its queue within a second."
        yield from _of_queue(story, place)
    elif story.stop is not None and _is_parked_by(story.stop, place):
        yield f"It is parked in {where}{until}: its task is fused until {told(story.stop.until)} ({story.stop.why})."
    elif story.parked_behind:
        yield f"It is parked in {where}: {story.parked_behind} keeps failing and is not called now."
        if again := story.parked_until or due:
            yield f"It asks for {story.parked_behind} again at {told(again)}."
    elif holder is not None:
        then = f" at {told(due)}" if due else ""
        yield f"It waits in {where} for job {holder}, which has the same key, and asks again{then}."
    elif headers.retries:
        most = "" if story.most_retries is None else f" of {story.most_retries}"
        last = next((run for run in reversed(story.runs) if run.event == metrics.RETRIED), None)
        why = f", after {last.error or last.reason} in attempt {last.attempt}" if last is not None else ""
        yield f"It is delayed in {where}{until}: that is retry {headers.retries}{most}{why}."
    else:
        yield f"It is delayed in {where}{until}: its time has not come."


def _is_parked_by(stop: Stop, place: Place) -> bool:
    """Whether it waits for the very end of the fuse."""
    return place.due is not None and abs(place.due - stop.until.timestamp()) < A_MOMENT


def _holder(story: Story) -> str | None:
    """The other job that has its key now."""
    if story.key is None or story.key.fields.get("state") not in ("running", "waiting_retry"):
        return None
    job = story.key.fields.get("job")
    return job if job != story.job else None


def _of_work(story: Story, place: Place) -> str:
    working = story.working
    if working is None:
        return f"It is in the hands of {place.owner}, which is alive: it runs, or is about to."
    process = f" (pid {working.pid})" if working.pid else ""
    if working.since is None:
        return f"It runs on {working.node}{process}."
    seconds = max((story.at - working.since).total_seconds(), 0.0)
    return f"It runs on {working.node}{process} since {told(working.since)}, for {in_words(seconds)}."


def _of_lost_lease(story: Story, place: Place) -> Iterator[str]:
    since = f" since {told(story.silent_since)}" if story.silent_since else ""
    yield f"It is in the hands of {place.owner}, which is silent{since}: a living worker gives it back in seconds."
    if story.served.get(place.queue) is False:
        yield f"No living worker serves {place.queue}: start one."


def _that_apply_wherever_it_is(story: Story) -> Iterator[str]:
    place, headers = story.places[0], story.headers
    if place.kind not in ("waiting", "delayed"):
        return
    if story.stop is not None and not _is_parked_by(story.stop, place):
        stop = f"fused until {told(story.stop.until)} ({story.stop.why})"
        yield f"Its task is {stop}: a worker that takes the job parks it."
    if story.strange_to is not None:
        hint = f"; did you mean {story.strange_to!r}?" if story.strange_to else "."
        yield f"No task {headers.task!r} is known here{hint} A worker that does not know it either sets it aside."
    if headers.expires is not None:
        if headers.expires <= story.at:
            yield f"It expired at {told(headers.expires)}: it is dropped when it is claimed."
        else:
            yield f"It expires at {told(headers.expires)}: if it has not started by then, it is dropped."


def _of_row(story: Story, row: "OutboxMessage") -> Iterator[str]:
    if row.published_at is None:
        yield "It is in the outbox and was not published yet: is a relay running, and the broker up?"
        if row.created_at:
            waits = max((story.at - row.created_at).total_seconds(), 0.0)
            yield f"It was written {told(row.created_at)}, {in_words(waits)} ago."
        if (due := moment(row.due)) is not None and due > story.at:
            yield f"Its time comes at {told(due)} anyway."
    elif story.whereabouts is None:
        yield "It is durable, published and not done. Where it is now is not known."
    elif not story.whereabouts.complete:
        yield "It is durable, published and not done. It was not found among the messages that were looked at."
    else:
        yield "It is durable, published and not done. It was not found on the broker: the relay publishes it again."


def _is_over(story: Story) -> bool:
    """Whether it was seen to its end, and is nowhere any more."""
    return not story.places and bool(story.runs) and story.runs[-1].event in _ENDS


def _of_end(story: Story) -> Iterator[str]:
    """Of a job that is neither on the broker nor in the outbox."""
    if (letter := story.open_letter) is not None:
        error = f" ({letter.error})" if letter.error else ""
        yield (
            f"It was given up: {letter.reason}{error}. It will not run again by itself: "
            f"`jobs retry {letter.pk} --reason …` or `jobs discard {letter.pk} --reason …`."
        )
        return
    if story.runs:
        yield _of_last_run(story, story.runs[-1])
    if story.letters and story.state in (None, *ENDED_UNWELL) and not _went_well(story):
        yield f"It was given up, and its dead letter is {story.letters[0].state}."
    elif story.duplicate_of is not None:
        yield f"It did not run: job {story.duplicate_of} with the same key did, in its place."


def _went_well(story: Story) -> bool:
    return bool(story.runs) and story.runs[-1].event == metrics.SUCCEEDED


def _of_last_run(story: Story, run: "JobRun") -> str:
    tell = _ENDS.get(run.event)
    when = told(run.ended_at or story.at)
    if tell is None:
        return (
            f"Its last attempt ended at {when} ({run.event}), and it was to go on. "
            "It was not found on the broker: it is on its way, or further back than was looked."
        )
    why = ": ".join(filter(None, (run.reason if run.reason not in ("", "-") else "", run.error)))
    took = f" after {in_words(run.run_seconds)}" if run.run_seconds is not None else ""
    return tell.format(when=when, took=took, attempt=run.attempt or "?", why=why or "no reason is known")


_ENDS: Final = {
    metrics.SUCCEEDED: "It is done: attempt {attempt} succeeded at {when}{took}.",
    metrics.FAILED: "It failed for good at {when}{took}, in attempt {attempt}: {why}.",
    metrics.DEDUPLICATED: "It did not run: at {when} another job with the same key ran, or had run, in its place.",
    metrics.EXPIRED: "It expired: no worker had started it in time, and it was dropped at {when}.",
    metrics.REVOKED: "It was revoked, and dropped at {when}.",
    metrics.REJECTED: "Its task rejected it at {when}: {why}.",
}


def _of_bound(story: Story) -> str:
    if story.looked_at is None:
        return "Some queue is longer than what was looked at: it may wait further back."
    return f"Only the first {story.looked_at:,} messages of each list were looked at: it may wait further back."
