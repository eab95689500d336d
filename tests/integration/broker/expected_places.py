"""What must be true of the messages, in plain Python: each method does what one script must do."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .census import LISTS, QUEUES, STEPS, Places, list_of, text_of


class RefusedError(Exception):
    """The server refuses this."""


class SilentError(Exception):
    """The owner is not alive."""


@dataclass
class Expected:
    lists: dict[str, list[bytes]] = field(default_factory=lambda: {name: [] for name in LISTS})  # claimed at the end
    delayed: dict[str, dict[bytes, float]] = field(default_factory=lambda: {queue: {} for queue in QUEUES})
    leases: dict[str, dict[str, bytes]] = field(default_factory=dict)
    quarantine: dict[str, bytes] = field(default_factory=dict)
    purged: dict[str, list[bytes]] = field(default_factory=dict)
    troubles: dict[str, list[str]] = field(default_factory=dict)
    calls: dict[str, tuple[int, int]] = field(default_factory=dict)  # each owner's last, and what it brought
    owners: set[str] = field(default_factory=set)  # who may hold leases
    alive: set[str] = field(default_factory=set)
    suspects: dict[str, bool] = field(default_factory=dict)  # whether for long enough
    paused: dict[str, bool] = field(default_factory=dict)  # whether still
    spoiled: set[str] = field(default_factory=set)  # lists in whose place there is something else
    acknowledged: set[bytes] = field(default_factory=set)
    is_full: bool = False
    is_quiet: bool = False

    def places(self) -> Places:
        found: Places = {f"list {name}": texts for name, texts in self.lists.items()}
        found |= {f"delayed {queue}": entries for queue, entries in self.delayed.items()}
        found |= {f"leases {owner}": held for owner, held in self.leases.items()}
        found |= {f"purged {name}": texts for name, texts in self.purged.items()}
        found |= {"quarantine": self.quarantine, "troubles": self.troubles, "alive": self.alive}
        found |= {"suspects": self.suspects, "paused": self.paused}
        found |= {"owners": self.owners, "calls": self.calls}
        found |= {f"list {name}": "string" for name in self.spoiled}
        return {place: content for place, content in found.items() if content}

    def holds(self, owner: str, lease: str) -> bool:
        return lease in self.leases.get(owner, {})

    def publish(self, queue: str, name: str, text: bytes, due: float | None) -> None:
        if self.is_full or (due is None and name in self.spoiled):
            raise RefusedError
        if due is None:
            self.lists[name].insert(0, text)
        else:
            self.delayed[queue][name.encode() + b"\n" + text] = due

    def claim(
        self, owner: str, call: int, most: int, queues: Sequence[str], acknowledged: Sequence[str]
    ) -> dict[str, bytes] | None:
        """The entries by their leases, or None: a later call has been made."""
        self.acknowledge(owner, acknowledged)
        if self.is_full:
            raise RefusedError
        if owner not in self.alive:
            raise SilentError
        last_call, last_count = self.calls.get(owner, (0, 0))
        held = self.leases.setdefault(owner, {})
        if call < last_call:
            return None
        if call == last_call:
            names = [f"{call}-{place}" for place in range(1, last_count + 1)]
            return {name: held[name] for name in names if name in held}
        taken: list[bytes] = []
        for queue in queues:
            if self.paused.get(queue):
                continue
            self.move_due(queue)
            for name in (queue + step for step in STEPS):
                while self.lists[name] and len(taken) < most:
                    taken.append(name.encode() + b"\n" + self.lists[name].pop())
        claimed = {f"{call}-{place}": entry for place, entry in enumerate(taken, 1)}
        held |= claimed
        if taken:
            self.owners.add(owner)
        self.calls[owner] = (call, len(taken))
        return claimed

    def acknowledge(self, owner: str, leases: Sequence[str]) -> int:
        ended = [self.leases[owner].pop(lease) for lease in leases if self.holds(owner, lease)]
        self.acknowledged |= {text_of(entry) for entry in ended}
        return len(ended)

    def put_back(self, owner: str, leases: Sequence[str], event: str) -> int:
        if self.is_full:
            raise RefusedError
        returned = 0
        for lease in sorted(set(leases), key=lambda lease: [-int(number) for number in lease.split("-")]):
            if not self.holds(owner, lease) or list_of(self.leases[owner][lease]) in self.spoiled:
                continue
            entry = self.leases[owner].pop(lease)
            self.lists[list_of(entry)].append(text_of(entry))
            returned += 1
            if event and (job := _job(text_of(entry))):
                self.troubles.setdefault(job, []).append(event)
        return returned

    def delay(self, owner: str, lease: str, queue: str, due: float) -> int:
        if self.is_full:
            raise RefusedError
        if not self.holds(owner, lease):
            return 0
        self.delayed[queue][self.leases[owner].pop(lease)] = due
        return 1

    def set_aside(self, owner: str, lease: str) -> int:
        if self.is_full:
            raise RefusedError
        if not self.holds(owner, lease):
            return 0
        self.quarantine[f"{owner} {lease}"] = text_of(self.leases[owner].pop(lease))
        return 1

    def restore(self, kept_as: str, name: str) -> bool:
        if self.is_full or (kept_as in self.quarantine and name in self.spoiled):
            raise RefusedError
        if kept_as not in self.quarantine:
            return False
        self.lists[name].append(self.quarantine.pop(kept_as))
        return True

    def move_due(self, queue: str, most: int = 1000, *, all_of_them: bool = False) -> int:
        """Moments in the past are below zero here: nothing else is due within a test."""
        if any(queue + step in self.spoiled for step in STEPS):
            return 0
        entries = sorted(self.delayed[queue].items(), key=lambda item: (item[1], item[0]))
        moved = [entry for entry, due in entries if all_of_them or due < 0][:most]
        for entry in moved:
            del self.delayed[queue][entry]
            self.lists[list_of(entry)].insert(0, text_of(entry))
        return len(moved)

    def hand_over(self, queue: str, most: int) -> int:
        if self.is_full:
            raise RefusedError
        return self.move_due(queue, most, all_of_them=True)

    def pulse(self, owner: str, order: Sequence[str]) -> tuple[bool, dict[str, int]]:
        """`order`: that in which the dead are met. Returns whether writes are refused, and what was rescued."""
        self.alive.add(owner)
        if self.is_full:
            return True, {}
        self.owners.add(owner)
        for queue in QUEUES:
            self.move_due(queue)
        rescued = {}
        for living in self.owners & self.alive:
            self.suspects.pop(living, None)
        for silent in order:
            if silent not in self.owners - self.alive:
                continue
            if self.suspects.setdefault(silent, False) and not self.is_quiet:
                held = self.leases.setdefault(silent, {})
                rescued[silent] = self.put_back(silent, list(held), "worker_lost")
                if not held:
                    self.owners.discard(silent)
                    del self.suspects[silent]
        return False, rescued

    def leave(self, owner: str) -> int:
        returned = self.put_back(owner, list(self.leases.get(owner, {})), "")
        self.alive.discard(owner)
        self.calls.pop(owner, None)
        if not self.leases.get(owner):
            self.owners.discard(owner)
        return returned

    def pause(self, queue: str) -> None:
        if self.is_full:
            raise RefusedError
        self.paused[queue] = True

    def resume(self, queue: str) -> bool:
        return self.paused.pop(queue, None) is not None

    def purge(self, queue: str) -> int:
        count = 0
        for name in (queue + step for step in STEPS):
            if name in self.spoiled:
                raise RefusedError
            count += len(self.lists[name])
            self.purged.setdefault(name, []).extend(self.lists[name])
            self.lists[name] = []
        return count


def _job(text: bytes) -> str | None:
    try:
        message: Any = json.loads(text)
        return str(message["headers"]["id"])
    except (ValueError, TypeError, KeyError, IndexError):
        return None
