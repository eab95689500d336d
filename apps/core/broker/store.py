"""The messages on the server: every change of a message's place is one script (lua/), so nothing is ever in between.

waiting -> leased -> acknowledged, and from a lease back to waiting, to delayed or to quarantined; delayed -> waiting.
Names and places are listed once, in lua/common.lua.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import redis

from ..conf import engine_settings
from ..fast_script import Connections, FastScript
from ..metrics.events import EDGES, RUNS_KEPT, RUNS_TOGETHER
from ..owners import keep_quiet
from . import fuses
from .cards import Card
from .depths import FIRST_SEEN_KEPT, QueueDepth
from .fleet import Fleet
from .fuses import Fuse
from .messages import Outgoing

LUA: Final = Path(__file__).parent / "lua"
PRIORITY_SEPARATOR: Final = "\x06\x16"
REVOCATION_KEPT: Final = 30 * 24 * 3600  # seconds: a revoked job may be delayed for long
PUBLISHED_KEPT: Final = 120  # seconds for which a publication whose reply was lost is known for one
PURGED_KEPT: Final = 24 * 3600  # seconds that purged messages can still be brought back
AT_ONCE: Final = 1000  # messages that one command of an operator moves, so that nobody waits for long
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


class MessageStore:
    """One installation's messages. Every method is one round trip and raises redis.RedisError when that fails."""

    def __init__(self, client: redis.Redis, prefix: str = "", *, delays: bool = True) -> None:
        """`delays`: messages that are not due wait here; else, on a stock broker, in the memory of its workers."""
        self.delays = delays
        self.client = client
        self.prefix = prefix
        self.connections = Connections(client)
        self.server = 0  # another number whenever this process has met a new server: restarted, or the master now
        self._publish = self._script("publish")
        self._claim = self._script("claim")
        self._settle = self._script("settle")
        self._pulse = self._script("pulse")
        self._leave = self._script("leave")
        self._unwatch = self._script("unwatch")
        self._pause = self._script("pause")
        self._resume = self._script("resume")
        self._revoke = self._script("revoke")
        self._purge = self._script("purge")
        self._adopt = self._script("adopt")
        self._hand_over = self._script("hand_over")
        self._depths = self._script("depths")
        self._fleet = self._script("fleet")
        self._restore = self._script("restore")
        self._unmark = self._script("unmark")
        self._forget = self._script("forget")
        self._acknowledge = self._script("acknowledge")
        self.close_minute = self._script("close_minute")  # for readers of the numbers, within their transactions
        self._fuse = self._script("fuse")
        self._unfuse = self._script("unfuse")
        self._restore_purged = self._script("restore_purged")

    def key(self, *parts: str) -> str:
        """The full name of one of the engine's keys, as in key("leases", owner)."""
        return f"{self.prefix}bgjobs:{':'.join(parts)}"

    def publish(self, queue: str, list_name: str, text: str, *, due: float = 0.0, task: str = NO_TASK) -> float:
        """Enqueue a message, a JSON object, to run at `due` or at once. Returns the moment its wait counts from."""
        (reply,) = self._publish(
            args=[self.prefix, PUBLISHED_KEPT, "0", queue, list_name, text[:-1], repr(due), "", "", "", task]
        )
        return float(reply)

    def publish_all(self, messages: Sequence[Outgoing], *, have_rows: bool) -> list[Published]:
        """Enqueue messages, each once however often this is called for it.

        `have_rows`: they have rows in the outbox, which remembers until `forget_published` that they were published.
        """
        args: list[str | int] = [self.prefix, PUBLISHED_KEPT, "1" if have_rows else "0"]
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
        return [_published(reply) for reply in self._publish(args=args)]

    def are_published(self, tags: Sequence[str]) -> list[bool]:
        """Of messages with rows: whether the server knows that they were published, and has not lost them since."""
        return [found == 1 for found in self.connections.call("SMISMEMBER", self.key("outbox"), *tags)]

    def forget_published(self, tags: Sequence[str]) -> None:
        """These messages have no rows any more."""
        self._forget(args=[self.prefix, PUBLISHED_KEPT, *tags])

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
        self._unmark(args=[self.prefix, queue, unique, f"{job} {tag}"])

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
        reply = self._claim(
            args=[
                self.prefix,
                owner,
                call,
                most,
                int(was_idle),
                len(acknowledged),
                *_with_notes(acknowledged, notes),
                *queues,
            ]
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
        return int(self._acknowledge(args=[self.prefix, owner, *_with_notes(leases, notes)]))

    def put_back(self, owner: str, leases: Sequence[str], event: str = "") -> int:
        """Put messages where they are claimed next; `event` is noted in the history of their jobs."""
        return int(self._settle(args=[self.prefix, owner, "back", event, *leases]))

    def put_back_lost(self, owner: str, lease: str, event: str, note: str) -> int:
        """Likewise, of an attempt whose process has died."""
        return int(self._settle(args=[self.prefix, owner, "lost", event, note, lease]))

    def park(self, owner: str, lease: str, *, queue: str, task: str) -> int:
        """Let a message wait until its task's fuse has ended."""
        return int(self._settle(args=[self.prefix, owner, "park", task, queue, lease]))

    def delay(self, owner: str, lease: str, *, queue: str, due: float, seen: str = "") -> int:
        """Let a message wait until `due`. `seen`: its tag, where it carries no time and is noticed now."""
        return int(self._settle(args=[self.prefix, owner, "delay", repr(due), queue, seen, lease]))

    def quarantine(self, owner: str, lease: str, record: str, note: str = "") -> int:
        return int(self._settle(args=[self.prefix, owner, "quarantine", record, note, lease]))

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
        _, refused, worth_while, rescued = self._pulse(
            args=[
                self.prefix,
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
            ]
        )
        return Pulse(
            refused=refused.decode(errors="replace"),
            worth_while=worth_while == b"1",
            rescued={owner.decode(): count for owner, count in zip(rescued[::2], rescued[1::2], strict=True)},
        )

    def leave(self, owner: str, queues: Sequence[str]) -> int:
        """The process ends: all it holds goes back. Returns how many messages."""
        return int(self._leave(args=[self.prefix, owner, *queues]))

    def unwatch(self, owner: str, queue: str) -> None:
        self._unwatch(args=[self.prefix, owner, queue])

    def pause(self, queue: str, *, seconds: float, why: str) -> float:
        """Stop all claims of a queue, for `seconds` or, with 0, until `resume`. Returns when it ends; 0: never."""
        return float(self._pause(args=[self.prefix, queue, repr(float(seconds)), why]))

    def resume(self, queue: str) -> bool:
        """Returns whether the queue was paused."""
        return bool(self._resume(args=[self.prefix, queue]))

    def revoke(self, jobs: Sequence[str]) -> None:
        """Let these jobs not start any more, wherever they wait."""
        self._revoke(args=[self.prefix, REVOCATION_KEPT, *jobs])

    def revoked_since(self, moment: float) -> dict[str, float]:
        """Job ids that were revoked at `moment` or later, and when."""
        found = self.connections.call("ZRANGE", self.key("revoked"), repr(moment), "+inf", "BYSCORE", "WITHSCORES")
        # The newer protocol answers in pairs, the older one in a row.
        pairs = found if found and isinstance(found[0], list) else zip(found[::2], found[1::2], strict=True)
        return {job.decode(): float(when) for job, when in pairs}

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
        now, *replies = self._depths(args=[self.prefix, FIRST_SEEN_KEPT, *queues])
        return {queue: QueueDepth.read(float(now), reply) for queue, reply in zip(queues, replies, strict=True)}

    def fleet(self, queues: Sequence[str]) -> Fleet:
        """Who consumes, what each holds, and who waits for which of these queues."""
        return Fleet.read(queues, self._fleet(args=[self.prefix, *queues]))

    def restore(self, kept_as: str, list_name: str, text: bytes) -> bool:
        """Put a message back that is quarantined. Returns whether it still was; `kept_as` names its record."""
        return bool(self._restore(args=[self.prefix, kept_as, list_name, text]))

    def purge(self, queue: str) -> int:
        """Set a queue's waiting messages aside for a day. Returns how many."""
        return int(self._purge(args=[self.prefix, queue, PURGED_KEPT]))

    def restore_purged(self, queue: str) -> int:
        """Put back what was purged from a queue within a day. Returns how many messages."""
        restored: int = 0
        while True:
            moved, more = self._restore_purged(args=[self.prefix, queue, AT_ONCE])
            restored += moved
            if more == b"0":
                return restored

    def fuse(self, task: str, *, seconds: float, why: str) -> float:
        """Let no job of a task start for so long. Returns when that ends."""
        return float(self._fuse(args=[self.prefix, task, repr(float(seconds)), why]))

    def unfuse(self, task: str) -> int:
        """Let a task's jobs start again. Returns how many were parked."""
        moved: int = 0
        while True:
            _, more, seen = self._unfuse(args=[self.prefix, task, AT_ONCE, moved])
            moved += more
            if seen < AT_ONCE:
                return moved

    def fuses(self) -> dict[str, Fuse]:
        """Those that are lit, by task."""
        told = self.connections.call("HGETALL", self.key("fuses"))
        if isinstance(told, dict):  # the newer protocol answers so
            told = [part for pair in told.items() for part in pair]
        seconds, microseconds = self.connections.call("TIME")
        return fuses.read(told, int(seconds) + int(microseconds) / 1e6)

    def cards(self, owners: Sequence[str]) -> dict[str, Card]:
        """What these owners say of themselves, where they do."""
        if not owners:
            return {}
        texts = self.connections.call("MGET", *(self.key("card", owner) for owner in owners))
        cards = {owner: Card.read(owner, text) for owner, text in zip(owners, texts, strict=True) if text}
        return {owner: card for owner, card in cards.items() if card is not None}

    def adopt(self, tag: str, value: bytes, list_name: str, text: str) -> bool:
        """Take over a message that a stock worker has left unacknowledged."""
        return bool(self._adopt(args=[self.prefix, tag, value, list_name, text]))

    def hand_over(self, queue: str, most: int) -> int:
        """Move delayed messages into their lists before they are due. Returns how many."""
        return int(self._hand_over(args=[self.prefix, queue, most]))

    def _script(self, name: str) -> FastScript:
        return FastScript(
            self.connections,
            f"-- prefix {self.prefix!r}\n{_text(name)}",  # installations with one server have nothing in common
            on_new_server=self._meet,
        )

    def _meet(self) -> None:
        self.server += 1
        keep_quiet(self.connections, self.prefix)


def _published(reply: bytes) -> Published:
    if reply.startswith(b"="):
        return Published(ready_at=None, in_favour_of=reply[1:].decode())
    return Published(ready_at=float(reply) if reply else None)


@cache
def _text(name: str) -> str:
    shared = f"local EDGES = {{{', '.join(map(repr, EDGES))}}}\n"
    shared += f"local RUNS_KEPT, RUNS_TOGETHER = {RUNS_KEPT}, {RUNS_TOGETHER}\n"
    return shared + "".join((LUA / f"{part}.lua").read_text() for part in ("common", "counts", name))


def _with_notes(leases: Sequence[str], notes: Mapping[str, str]) -> list[str]:
    return [part for lease in leases for part in (lease, notes.get(lease, ""))]


def _entry(lease: str, value: bytes) -> Entry:
    name, _, text = value.partition(b"\n")
    return Entry(lease=lease, list=name.decode(errors="replace"), text=text)
