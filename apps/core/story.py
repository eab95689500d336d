"""Everything that is known of one job, gathered from wherever it has left a trace, and what follows from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import redis
from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

from .broker.configured import configured_store, is_leased
from .broker.depths import Pause
from .broker.whereabouts import Place, Whereabouts, find
from .circuit_breaker import look as breakers
from .circuit_breaker.store import PARKED_PREFIX
from .context import KEY_HEADER
from .dead_letters.models import DeadLetter
from .dead_letters.original import Original, UnreadableMessageError
from .idempotency import Record, records
from .outbox import rows
from .redis_client import store as redis_store

if TYPE_CHECKING:
    from .outbox.models import OutboxMessage


@dataclass(slots=True, kw_only=True)
class Story:
    """What is not known is None: a server that did not answer is named in `unknown`."""

    job: str
    row: "OutboxMessage | None" = None  # in the outbox
    whereabouts: Whereabouts | None = None
    pauses: dict[str, Pause] = field(default_factory=dict)  # of queues in which it is
    parked_behind: str | None = None  # the service whose breaker it waits for
    letters: tuple[DeadLetter, ...] = ()  # the latest first
    key: Record | None = None  # what is stored under its idempotency key
    state: str | None = None  # of its stored result, as Celery names it
    unknown: list[str] = field(default_factory=list)

    @property
    def message(self) -> bytes | None:
        """The latest that is known of it."""
        if self.whereabouts is not None and self.whereabouts.places:
            return self.whereabouts.places[0].text
        if self.row is not None:
            return self.row.message.encode()
        return bytes(self.letters[0].message) if self.letters else None

    @property
    def open_letter(self) -> DeadLetter | None:
        return next((one for one in self.letters if one.state == DeadLetter.State.OPEN), None)


def tell(job: str) -> Story:
    """Raises django.db.Error."""
    story = Story(job=job)
    story.row = rows.table().filter(job=job).order_by("-id").first()
    story.letters = tuple(DeadLetter.objects.filter(job=job))
    with _unknown_where_down(story, "the broker"):
        _ask_broker(story)
    with _unknown_where_down(story, "idempotency keys and breakers"):
        _ask_store(story)
    with _unknown_where_down(story, "results"):
        state = current_app.backend.get_task_meta(job, cache=False)["status"]
        story.state = None if state == "PENDING" else state  # which is what Celery says of any unknown id
    return story


def verdict(story: Story) -> Iterator[str]:
    """Why it is not running, or what has become of it: the first sentence is what counts now."""
    whereabouts = story.whereabouts
    places = whereabouts.places if whereabouts else ()
    for place in sorted(places, key=lambda one: ("leased", "waiting", "delayed", "quarantined").index(one.kind)):
        yield _of_place(story, place)
    if whereabouts is not None and whereabouts.revoked_at is not None:
        yield "It was revoked: it will not start, and is dropped when it is claimed."
    if story.row is not None and not places:
        yield from _of_row(story.row)
    if not places and (letter := story.open_letter) is not None:
        error = f" ({letter.error})" if letter.error else ""
        yield (
            f"It was given up: {letter.reason}{error}. It will not run again by itself: "
            f"`jobs retry {letter.pk} --reason …` or `jobs discard {letter.pk} --reason …`."
        )
    elif not places and story.letters and story.row is None and story.state in (None, "FAILURE", "REVOKED"):
        yield f"It was given up, and its dead letter is {story.letters[0].state}."
    if not places and story.state is not None:
        yield f"Its stored result says {story.state}."
    if whereabouts is not None and not whereabouts.complete:
        yield "Some queue is longer than what was looked at: it may wait further back."
    yield from (f"Unknown: {what}." for what in story.unknown)


def is_known(story: Story) -> bool:
    whereabouts = story.whereabouts
    traces = whereabouts and (whereabouts.places or whereabouts.revoked_at or whereabouts.history)
    return bool(story.row or story.letters or story.state or traces)


def _of_place(story: Story, place: Place) -> str:
    pause = story.pauses.get(place.queue)
    paused = f", which is paused ({pause.why})" if pause else ""
    match place.kind:
        case "waiting":
            return f"It waits in {place.queue}{paused}, behind {place.ahead} others."
        case "delayed" if story.parked_behind:
            return (
                f"It is parked in {place.queue}{paused}: {story.parked_behind} keeps failing and is not called now."
            )
        case "delayed":
            return f"It is delayed in {place.queue}{paused}: its time has not come."
        case "leased" if place.owner_alive:
            return f"It is in the hands of {place.owner}, which is alive: it runs, or is about to."
        case "leased":
            return f"It is in the hands of {place.owner}, which is silent: a living worker gives it back in seconds."
    reason = place.quarantined.reason if place.quarantined else "unknown"
    return f"It has just been set aside ({reason}), and becomes a dead letter once a relay runs."


def _of_row(row: "OutboxMessage") -> Iterator[str]:
    if row.published_at is None:
        yield "It is in the outbox and was not published yet: is a relay running, and the broker up?"
    else:
        yield "It is durable, published and not done. It was not found on the broker: the relay publishes it again."


def _ask_broker(story: Story) -> None:
    if not is_leased():
        story.unknown.append("where its message is, since the broker is no leased:// one")
        return
    store = configured_store()
    found = find(store, story.job)
    if queues := sorted({place.queue for place in found.places}):
        depths = store.depths(queues)
        story.pauses = {queue: pause for queue in queues if (pause := depths[queue].pause) is not None}
    story.whereabouts = found


def _ask_store(story: Story) -> None:
    for service in (one.service for one in breakers()):
        if redis_store().zscore(PARKED_PREFIX + service, story.job) is not None:
            story.parked_behind = service
    if (message := story.message) is not None:
        try:
            key = Original.read(message).header(KEY_HEADER)
        except UnreadableMessageError:
            return
        story.key = records().look_up(key) if key else None


@contextmanager
def _unknown_where_down(story: Story, what: str) -> Iterator[None]:
    """Goes on where a server does not answer, and notes what is not known therefore."""
    try:
        yield
    except (redis.RedisError, BrokerError) as error:
        story.unknown.append(f"{what} ({type(error).__name__})")
