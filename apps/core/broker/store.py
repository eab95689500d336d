"""The messages on the server: every change of a message's place is one script (lua/), so nothing is ever in between.

waiting -> leased -> acknowledged, and from a lease back to waiting, to delayed or to quarantined; delayed -> waiting.
Names and places are listed once, in lua/common.lua.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import redis

from ..conf import engine_settings
from . import fuses
from .cards import Card
from .depths import FIRST_SEEN_KEPT, QueueDepth
from .fleet import Fleet
from .fuses import Fuse
from .messages import Outgoing
from .orders import Orders

PRIORITY_SEPARATOR: Final = "\x06\x16"
PUBLISHED_KEPT: Final = 120  # seconds for which a publication whose reply was lost is known for one
NO_TASK: Final = "-"
NO_NOTES: Final[Mapping[str, str]] = {}
NO_FUSES: Final[Mapping[str, Fuse]] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A message under a lease of this process."""

    lease: str  # its name, unique among all leases of this process
    list: str  # the list it came from, without the installation's prefix
    text: bytes  # the message as it was published

    @property
    def queue(self) -> str:
        return self.list.partition(PRIORITY_SEPARATOR)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What a claim brought, and what to do until the next one."""

    now: float  # seconds since the epoch, by the server's clock
    revoked: float  # moment of the latest revocation
    troubled: bool  # some job somewhere has a history of trouble
    watched: tuple[str, ...]  # queues that this process watches for all
    next_due: float | None  # moment the next delayed message of those may start
    entries: tuple[Entry, ...]
    fuses: Mapping[str, Fuse]  # tasks whose jobs are to be parked


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulse:
    refused: str  # the server's reason for taking no writes; mostly empty
    worth_while: bool  # a claim may bring something
    rescued: dict[str, int]  # dead owner -> number of leases that went back


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What became of a publication."""

    ready_at: float | None  # moment its wait counts from; None: it had been published before, or was not
    in_favour_of: str | None = None  # the job that has its unique key: it was not published


class ServerRefusesWritesError(redis.RedisError):
    """The server answers, and takes no writes at present: out of memory, a replica, a failing disk."""


class SilentOwnerError(redis.RedisError):
    """The server has not heard of this process lately, or has lost its data: say that it lives, and claim again."""


class MessageStore(Orders):
    """One installation's messages. Every method is one round trip and raises redis.RedisError when that fails."""

    def __init__(self, client: redis.Redis, prefix: str = "", *, delays: bool = True) -> None:
        """`delays`: messages that are not due wait here; else, on a stock broker, in the memory of its workers."""
        super().__init__(client, prefix)
        self.delays = delays

    def publish(self, queue: str, list_name: str, text: str, *, due: float = 0.0, task: str = NO_TASK) -> float:
        """Enqueue a message, a JSON object, to run at `due` or at once. Returns the moment its wait counts from."""
        (reply,) = self.run("publish", PUBLISHED_KEPT, "0", queue, list_name, text[:-1], repr(due), "", "", "", task)
        return float(reply)

    def publish_all(self, messages: Sequence[Outgoing], *, have_rows: bool) -> list[Published]:
        """Enqueue messages, each once however often this is called for it.

        `have_rows`: they have rows in the outbox, which remembers until `forget_published` that they were published.
        """
        args: list[str | int] = [PUBLISHED_KEPT, "1" if have_rows else "0"]
        for one in messages:
            args += [
                one.queue,
                one.list,
                one.text[:-1],
                repr(one.due if self.delays else 0.0),
                one.tag,
                one.job,
                one.unique or "",
                one.task or NO_TASK,
            ]
        return [_published(reply) for reply in self.run("publish", *args)]

    def are_published(self, tags: Sequence[str]) -> list[bool]:
        """Of messages with rows: whether the server knows that they were published, and has not lost them since."""
        return [found == 1 for found in self.connections.call("SMISMEMBER", self.key("outbox"), *tags)]

    def forget_published(self, tags: Sequence[str]) -> None:
        """These messages have no rows any more."""
        self.run("forget", PUBLISHED_KEPT, *tags)

    def published_tags(self, cursor: bytes, portion: int) -> tuple[bytes, list[str]]:
        """Tags of published messages with rows, a portion, and the cursor of the next; b"0" is the first and last."""
        cursor, tags = self.connections.call("SSCAN", self.key("outbox"), cursor, "COUNT", portion)
        return cursor, [tag.decode() for tag in tags]

    def holder_of(self, queue: str, unique: str) -> str | None:
        """The job that waits or runs under a unique key."""
        found = self.connections.call("HGET", self.key("unique", queue), unique)
        return found.decode().rpartition(" ")[0] if found is not None else None

    def unmark(self, queue: str, unique: str, *, job: str, tag: str) -> None:
        """This message is about to leave for good: others may take its unique key."""
        self.run("unmark", queue, unique, f"{job} {tag}")

    def claim(
        self,
        owner: str,
        *,
        call: int,
        most: int,
        queues: Sequence[str],
        acknowledged: Sequence[str] = (),
        notes: Mapping[str, str] = NO_NOTES,
        was_idle: bool = False,
    ) -> Claimed | None:
        """Up to `most` messages, and the end of `acknowledged` leases. None where a later call has been made.

        `notes`, by lease: what counts of the attempts that ended.

        Raises ServerRefusesWritesError and SilentOwnerError; the acknowledgements have arrived nevertheless.
        """
        reply = self.run(
            "claim",
            owner,
            call,
            most,
            int(was_idle),
            len(acknowledged),
            *_with_notes(acknowledged, notes),
            *queues,
        )
        match reply:
            case [b"refused", reason]:
                raise ServerRefusesWritesError(reason.decode(errors="replace"))
            case [b"silent"]:
                raise SilentOwnerError(owner)
            case [b"stale"]:
                return None
        _, now, revoked, troubled, watched, due, entries, lit = reply
        return Claimed(
            now=float(now),
            revoked=float(revoked or 0),
            troubled=troubled > 0,
            watched=tuple(queue.decode() for queue in watched),
            next_due=float(due) if due else None,
            entries=tuple(_entry(f"{call}-{place}", text) for place, text in enumerate(entries, 1) if text),
            fuses=fuses.read(lit, float(now)) if lit else NO_FUSES,
        )

    def leases(self, owner: str) -> set[str]:
        """What the owner holds, as far as the server knows."""
        return {lease.decode() for lease in self.connections.call("HKEYS", self.key("leases", owner))}

    def acknowledge(self, owner: str, leases: Sequence[str], notes: Mapping[str, str] = NO_NOTES) -> int:
        """End leases of jobs that are done. Returns how many the owner still held. `notes`: as for `claim`."""
        return int(self.run("acknowledge", owner, *_with_notes(leases, notes)))

    def put_back(self, owner: str, leases: Sequence[str], event: str = "") -> int:
        """Put messages where they are claimed next; `event` is noted in the history of their jobs."""
        return int(self.run("settle", owner, "back", event, *leases))

    def put_back_lost(self, owner: str, lease: str, event: str, note: str) -> int:
        """Likewise, of an attempt whose process has died."""
        return int(self.run("settle", owner, "lost", event, note, lease))

    def park(self, owner: str, lease: str, *, queue: str, task: str) -> int:
        """Let a message wait until its task's fuse has ended."""
        return int(self.run("settle", owner, "park", task, queue, lease))

    def delay(self, owner: str, lease: str, *, queue: str, due: float, seen: str = "") -> int:
        """Let a message wait until `due`. `seen`: its tag, where it carries no time and is noticed now."""
        return int(self.run("settle", owner, "delay", repr(due), queue, seen, lease))

    def quarantine(self, owner: str, lease: str, record: str, note: str = "") -> int:
        return int(self.run("settle", owner, "quarantine", record, note, lease))

    def pulse(
        self,
        owners: Sequence[str],
        *,
        queues: Sequence[str],
        all_queues: Sequence[str],
        card: str = "",
        begun: Sequence[str] = (),
    ) -> Pulse:
        """Say that `owners` live, the process itself first; move what is due; rescue what the dead held.

        `card`: what it says of itself. `begun`: lease, queue and task of each attempt that has begun, in a row.
        """
        settings = engine_settings()
        _, refused, worth_while, rescued = self.run(
            "pulse",
            int(settings.dead_after * 1000),
            settings.heartbeat_every,
            len(owners),
            *owners,
            len(queues),
            *queues,
            card,
            len(begun) // 3,
            *begun,
            *all_queues,
        )
        return Pulse(
            refused=refused.decode(errors="replace"),
            worth_while=worth_while == b"1",
            rescued={owner.decode(): count for owner, count in zip(rescued[::2], rescued[1::2], strict=True)},
        )

    def leave(self, owner: str, queues: Sequence[str]) -> int:
        """The process ends: all it holds goes back. Returns how many messages."""
        return int(self.run("leave", owner, *queues))

    def unwatch(self, owner: str, queue: str) -> None:
        self.run("unwatch", owner, queue)

    def troubles(self, jobs: Sequence[str]) -> list[list[str]]:
        """What has befallen each of these jobs so far: "<moment> process_died <owner>" and the like."""
        found = self.connections.call("HMGET", self.key("troubles"), *jobs)
        return [text.decode(errors="replace").splitlines() if text else [] for text in found]

    def forget_troubles(self, jobs: Sequence[str]) -> None:
        self.connections.call("HDEL", self.key("troubles"), *jobs)

    def first_seen(self, tag: str, now: float) -> float:
        """When a stock producer's message was noticed while it waited, else `now`. It is forgotten with this call."""
        found = self.connections.call("HGET", self.key("seen"), tag)
        if found is not None:
            self.connections.call("HDEL", self.key("seen"), tag)
        return float(found) if found is not None else now

    def depths(self, queues: Sequence[str]) -> dict[str, QueueDepth]:
        """How much of each of these queues waits, for how long, and how much is in the hands of workers."""
        now, *replies = self.run("depths", FIRST_SEEN_KEPT, *queues)
        return {queue: QueueDepth.read(float(now), reply) for queue, reply in zip(queues, replies, strict=True)}

    def fleet(self, queues: Sequence[str]) -> Fleet:
        """Who consumes, what each holds, and who waits for which of these queues."""
        return Fleet.read(queues, self.run("fleet", *queues))

    def restore(self, kept_as: str, list_name: str, text: bytes) -> bool:
        """Put a message back that is quarantined. Returns whether it still was; `kept_as` names its record."""
        return bool(self.run("restore", kept_as, list_name, text))

    def cards(self, owners: Sequence[str]) -> dict[str, Card]:
        """What these owners say of themselves, where they do."""
        if not owners:
            return {}
        texts = self.connections.call("MGET", *(self.key("card", owner) for owner in owners))
        cards = {owner: Card.read(owner, text) for owner, text in zip(owners, texts, strict=True) if text}
        return {owner: card for owner, card in cards.items() if card is not None}

    def adopt(self, tag: str, value: bytes, list_name: str, text: str) -> bool:
        """Take over a message that a stock worker has left unacknowledged."""
        return bool(self.run("adopt", tag, value, list_name, text))

    def hand_over(self, queue: str, most: int) -> int:
        """Move delayed messages into their lists before they are due. Returns how many."""
        return int(self.run("hand_over", queue, most))


def _published(reply: bytes) -> Published:
    if reply.startswith(b"="):
        return Published(ready_at=None, in_favour_of=reply[1:].decode())
    return Published(ready_at=float(reply) if reply else None)


def _with_notes(leases: Sequence[str], notes: Mapping[str, str]) -> list[str]:
    return [part for lease in leases for part in (lease, notes.get(lease, ""))]


def _entry(lease: str, value: bytes) -> Entry:
    name, _, text = value.partition(b"\n")
    return Entry(lease=lease, list=name.decode(errors="replace"), text=text)
