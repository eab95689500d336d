"""The life of a job as a list of events: a pure function of what is known."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import TYPE_CHECKING, Final, Literal

from ..broker.whereabouts import Place
from ..durations import in_words
from ..metrics import events as metrics
from ..stored import moment
from .facts import Story
from .wording import counted, told

if TYPE_CHECKING:
    from ..runs.models import JobRun

Mark = Literal["plan", "step", "wait", "run", "good", "bad", "stop"]  # what kind of event it is, for those who draw

MEANT: Final = {  # how an attempt ended -> what that is called, and its mark
    metrics.SUCCEEDED: ("succeeded", "good"),
    metrics.FAILED: ("failed for good", "bad"),
    metrics.RETRIED: ("failed, to be retried", "bad"),
    metrics.DEDUPLICATED: ("was not needed: another job with the same key stands for it", "good"),
    metrics.WAITED: ("waits for another job with the same key", "wait"),
    metrics.PARKED: ("was parked", "wait"),
    metrics.EXPIRED: ("expired: nobody had started it in time", "stop"),
    metrics.REVOKED: ("was dropped: it had been revoked", "stop"),
    metrics.REJECTED: ("was rejected by its task", "bad"),
    metrics.LOST: ("was lost with its worker, and given back", "bad"),
}
NO_ATTEMPT: Final = frozenset(
    {metrics.DEDUPLICATED, metrics.WAITED, metrics.PARKED, metrics.EXPIRED, metrics.REVOKED}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    at: datetime | None  # None: now, or nobody knows
    mark: Mark
    title: str
    details: tuple[tuple[str, str], ...] = ()  # by name


def events(story: Story) -> tuple[Event, ...]:
    """In the order in which they came; those without a moment last."""
    found = [*_before(story), *_attempts(story), *_troubles(story), *_letters(story), *_now(story)]
    return tuple(sorted(found, key=lambda event: event.at.timestamp() if event.at else float("inf")))


def _before(story: Story) -> Iterator[Event]:
    """What was before its first attempt."""
    if (firing := story.firing) is not None:
        how = "was fired by hand" if firing.manual else "was due"
        yield Event(at=firing.due, mark="plan", title=f"Entry {firing.entry} of the timetable {how}")
        if firing.enqueued_at is not None:
            late = (firing.enqueued_at - firing.due).total_seconds()
            yield Event(
                at=firing.enqueued_at,
                mark="step",
                title="Enqueued by a beat",
                details=(("after it was due", in_words(max(late, 0.0))),),
            )
    if (row := story.row) is not None:
        kept = (("kept", "until the job is done"),) if row.durable else ()
        yield Event(at=row.created_at, mark="step", title="Written to the outbox", details=kept)
        if row.published_at is not None:
            yield Event(at=row.published_at, mark="step", title="Published by the relay")
    ready = next((run.ready_at for run in story.runs if run.ready_at is not None), None)
    if ready is None:
        ready = story.headers.first_ready_at
    if ready is not None:
        yield Event(at=ready, mark="step", title="Ready to run: from here on its wait counts")


def _attempts(story: Story) -> Iterator[Event]:
    for is_waiting, group in groupby(story.runs, key=lambda run: run.event == metrics.WAITED):
        runs = list(group)
        if is_waiting and len(runs) > 1:  # it asks once a second
            yield _attempt(runs[0], times=len(runs), until=runs[-1].ended_at)
        else:
            yield from map(_attempt, runs)


def _attempt(run: "JobRun", *, times: int = 1, until: datetime | None = None) -> Event:
    words, mark = MEANT.get(run.event, (run.event, "step"))
    who = "It" if run.event in NO_ATTEMPT or not run.attempt else f"Attempt {run.attempt}"
    last = until or run.ended_at
    details = {
        "asked": counted(times, "time") if times > 1 else "",
        "waited": "" if run.wait_seconds is None else in_words(run.wait_seconds),
        "ran": "" if run.run_seconds is None else in_words(run.run_seconds),
        "started": told(run.started_at) if run.started_at else "",
        "worker": f"{run.worker}{f' (pid {run.pid})' if run.pid else ''}" if run.worker else "",
        "reason": run.reason if run.reason != "-" else "",
        "error": ": ".join(filter(None, (run.error, run.error_text))),
        "instead of it": run.duplicate_of or "",
    }
    return Event(
        at=last,
        mark=mark,  # type: ignore[arg-type] # the table's marks are some
        title=f"{who} {words}",
        details=tuple((name, value) for name, value in details.items() if value),
    )


def _troubles(story: Story) -> Iterator[Event]:
    """What befell its messages; a letter keeps what the broker has forgotten."""
    lines = list(story.whereabouts.history) if story.whereabouts else []
    lines += [line for letter in story.letters for line in letter.history if isinstance(line, str)]
    for line in dict.fromkeys(lines):
        seconds, _, rest = line.partition(" ")
        event, _, owner = rest.partition(" ")
        try:
            at = moment(float(seconds))
        except ValueError:
            at = None
        yield Event(
            at=at,
            mark="bad",
            title=event.replace("_", " ").capitalize() or "Trouble",
            details=(("owner", owner),) if owner else (),
        )


def _letters(story: Story) -> Iterator[Event]:
    for letter in story.letters:
        details = {
            "dead letter": str(letter.pk),
            "attempts": str(letter.attempts),
            "error": ": ".join(filter(None, (letter.error, letter.error_text))),
        }
        yield Event(
            at=letter.last_at,
            mark="stop",
            title=f"Given up: {letter.reason}",
            details=tuple((name, value) for name, value in details.items() if value),
        )
        if letter.closed_at is not None:
            again = letter.state == letter.State.REPLAYED
            yield Event(
                at=letter.closed_at,
                mark="step" if again else "stop",
                title="Replayed: enqueued once more" if again else "Discarded: not to be run again",
                details=(("dead letter", str(letter.pk)),),
            )


def _now(story: Story) -> Iterator[Event]:
    if story.whereabouts is not None and (revoked := moment(story.whereabouts.revoked_at)) is not None:
        yield Event(at=revoked, mark="stop", title="Revoked by an operator")
    for place in story.places:
        yield _of_place(story, place)
    if story.state is not None:
        details = (("in place of it", story.duplicate_of),) if story.duplicate_of else ()
        mark: Mark = "good" if story.state == "SUCCESS" else "step"
        yield Event(at=None, mark=mark, title=f"Stored result: {story.state}", details=details)


def _of_place(story: Story, place: Place) -> Event:
    match place.kind:
        case "leased" if place.owner_alive:
            working = story.working
            where = f"on {working.node}" if working else f"in the hands of {place.owner}"
            return Event(at=working.since if working else None, mark="run", title=f"Runs now {where}")
        case "leased":
            return Event(at=story.silent_since, mark="bad", title=f"Its worker {place.owner} is silent")
        case "waiting":
            return Event(at=None, mark="wait", title=f"Waits now in {place.queue}, behind {place.ahead:,} others")
        case "delayed":
            due = moment(place.due)
            return Event(
                at=due, mark="plan", title=f"May start again in {place.queue}" if story.runs else "May start"
            )
    since = moment(place.quarantined.since) if place.quarantined else None
    return Event(at=since, mark="stop", title="Set aside; no relay has made a dead letter of it yet")
