"""Gathering what is known of one job, from wherever it has left a trace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any, Final

import redis
from celery import current_app
from kombu.exceptions import OperationalError as BrokerError

from ..broker import whereabouts
from ..broker.configured import broker_client, broker_prefix, configured_store, is_leased
from ..broker.store import MessageStore
from ..circuit_breaker import look as breakers
from ..circuit_breaker.store import PARKED_PREFIX
from ..dead_letters.models import DeadLetter
from ..idempotency import records
from ..metrics import events as metrics
from ..metrics.reader import per_minute
from ..outbox import rows
from ..redis_client import store as redis_store
from ..runs.attempts import attempts
from ..runs.models import JobRun
from ..schedules.models import Firing
from ..stored import moment
from .facts import Progress, Relative, Stop, Story, Working

MOST_CHILDREN: Final = 20
ATTEMPTS_EACH: Final = 4  # that are looked at for them
MINUTES: Final = 2  # over which it is counted how many jobs of a queue end
LONGEST_NOTE: Final = 200  # characters of what a running job says of itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How far is looked, and for how long waited."""

    messages: int  # of each list
    server_answers_within: float | None = None  # seconds; None: as everywhere


THOROUGH: Final = Patience(messages=whereabouts.LOOKED_AT)
QUICK: Final = Patience(messages=2_000, server_answers_within=0.5)  # for those who wait for a page


def tell(job: str, *, now: datetime | None = None, patience: Patience = THOROUGH) -> Story:
    """Raises django.db.Error."""
    story = Story(job=job, at=now or datetime.now(UTC))
    if patience is not THOROUGH:
        story.looked_at = patience.messages
    _ask_database(story)
    with _unknown_where_down(story, "the broker"):
        _ask_broker(story, patience)
    if _is_down(story):
        story.unknown.append("idempotency keys, breakers and results: they are not asked for now")
        return story
    with _unknown_where_down(story, "idempotency keys and breakers"):
        _ask_store(story)
    with _unknown_where_down(story, "results"):
        _ask_results(story)
    _judge_task(story)
    return story


def _is_down(story: Story) -> bool:
    """Whether somebody in a hurry has waited once for a server that does not answer, which all of these are on."""
    return story.looked_at is not None and story.whereabouts is None and is_leased()


def _ask_database(story: Story) -> None:
    story.row = rows.table().filter(job=story.job).order_by("-id").first()
    story.letters = tuple(DeadLetter.objects.filter(job=story.job))
    story.runs = tuple(attempts(story.job))
    story.firing = Firing.objects.filter(job=story.job).order_by("due").first() if story.job else None
    story.children = tuple(_children(story.job))


def _children(job: str) -> list[Relative]:
    """Those whose latest attempt ended last come first."""
    found = JobRun.objects.filter(parent=job).order_by("-ended_at", "-id").values_list("job", "task", "event")
    latest: dict[str, Relative] = {}
    for child, task, event in found[: ATTEMPTS_EACH * MOST_CHILDREN]:
        latest.setdefault(child, Relative(job=child, task=task, event=event))
    return list(latest.values())[:MOST_CHILDREN]


def _ask_broker(story: Story, patience: Patience) -> None:
    if not is_leased():
        story.unknown.append("where its message is, since the broker is no leased:// one")
        return
    store = configured_store() if patience.server_answers_within is None else _hurried(patience.server_answers_within)
    found = whereabouts.find(store, story.job, most=patience.messages)
    if queues := sorted({place.queue for place in found.places}):
        depths = store.depths(queues)
        story.pauses = {queue: pause for queue in queues if (pause := depths[queue].pause) is not None}
    story.whereabouts = found
    _ask_of_workers(story, store, queues)
    if any(place.kind == "waiting" for place in found.places):
        _ask_of_rates(story, store, queues)


def _hurried(seconds: float) -> MessageStore:
    return MessageStore(broker_client(connect_timeout=seconds, reply_timeout=seconds, retries=0), broker_prefix())


def _ask_of_workers(story: Story, store: MessageStore, queues: list[str]) -> None:
    if not story.places:
        return
    fleet = store.fleet(queues)
    cards = store.cards([owner.name for owner in fleet.alive()])
    for queue in queues:
        named = any(queue in card.queues for card in cards.values())
        story.served[queue] = named or bool(fleet.serve(queue))
    for place in story.places:
        if place.kind == "leased" and place.owner:
            _ask_of_owner(story, store, place.owner, cards.get(place.owner))
            break
    task = story.headers.task
    if task is not None and (fuse := store.fuses().get(task)) is not None and (until := moment(fuse.until)):
        story.stop = Stop(until=until, why=fuse.why)


def _ask_of_owner(story: Story, store: MessageStore, owner: str, card: Any) -> None:
    if card is not None:
        mine = next((one for one in card.jobs if one.job == story.job), None)
        if mine is not None:
            story.working = Working(node=card.node, pid=card.pid, since=moment(mine.since))
    since = store.connections.call("HGET", store.key("suspects"), owner)
    story.silent_since = moment(float(since)) if since is not None else None


def _ask_of_rates(story: Story, store: MessageStore, queues: list[str]) -> None:
    """Of the last minutes: before them it may have been idle."""
    recent = [numbers for _, numbers in per_minute(store, MINUTES, now=story.at)]
    minutes = sum(numbers.span_seconds for numbers in recent) / 60
    for queue in queues:
        ended = sum(numbers.count(event, queue=queue) for numbers in recent for event in metrics.ENDS)
        story.finishing[queue] = ended / max(minutes, 1.0)


def _ask_store(story: Story) -> None:
    for service in (one.service for one in breakers()):
        if (until := redis_store().zscore(PARKED_PREFIX + service, story.job)) is not None:
            story.parked_behind, story.parked_until = service, moment(until)
    letters = (letter.idempotency_key for letter in story.letters)
    runs = (run.idempotency_key for run in reversed(story.runs))
    story.key_name = story.headers.key or next(filter(None, (*letters, *runs)), None)
    story.key = records().look_up(story.key_name) if story.key_name else None


def _ask_results(story: Story) -> None:
    meta: dict[str, Any] = current_app.backend.get_task_meta(story.job, cache=False)
    state = str(meta["status"])
    story.state = None if state == "PENDING" else state  # which is what Celery says of any unknown id
    other = meta.get("duplicate_of")
    story.duplicate_of = other if isinstance(other, str) and other != story.job else None
    story.progress = _progress(meta.get("result")) if state == "PROGRESS" else None


def _progress(told: Any) -> Progress | None:
    match told:
        case {"done": int(done), "total": int(total)} if 0 <= done <= total:
            note = told.get("note")
            return Progress(done=done, total=total, note=note[:LONGEST_NOTE] if isinstance(note, str) else "")
    return None


def _judge_task(story: Story) -> None:
    name = story.headers.task
    if name is None:
        return
    tasks: Any = current_app.tasks
    look_up = getattr(current_app, "looked_up", tasks.get)  # which only the engine's own applications have
    task = tasks.get(name) or look_up(name)
    if task is None:
        story.strange_to = next(iter(get_close_matches(name, tasks, n=1)), "")
    else:
        story.most_retries = task.max_retries


@contextmanager
def _unknown_where_down(story: Story, what: str) -> Iterator[None]:
    """Goes on where a server does not answer, and notes what is not known therefore."""
    try:
        yield
    except (redis.RedisError, BrokerError) as error:
        story.unknown.append(f"{what} ({type(error).__name__})")
