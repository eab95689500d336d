"""What slots that are over came to. Nothing is counted into them any more, so a process remembers their sum.

Whoever looks every few seconds reads what is open, and what has come and gone since the last look.
"""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from weakref import WeakKeyDictionary

from .spans import Slot
from .windows import Window

if TYPE_CHECKING:
    from ..broker.store import MessageStore

CLOCKS_APART: Final = 120  # seconds that this machine's clock may go before the server's

Hash = Mapping[bytes, bytes]
Sums = Mapping[bytes, int]


def numbers_in(hash_: Hash) -> Sums:
    """What is no number is ignored."""
    try:
        return {name: int(value) for name, value in hash_.items()}
    except ValueError:
        return {name: int(value) for name, value in hash_.items() if value.isdigit()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The sum of some slots. A server that has lost its data is known by the sizes of their hashes."""

    sizes: Mapping[Slot, int] = field(default_factory=dict)  # how many fields each has
    total: Sums = field(default_factory=dict)

    def changed(self, come: Iterable[tuple[Slot, Hash]], gone: Iterable[tuple[Slot, Hash]]) -> "Finished":
        sizes, total = dict(self.sizes), dict(self.total)
        for slot, hash_ in come:
            sizes[slot] = len(hash_)
            for name, number in numbers_in(hash_).items():
                total[name] = total.get(name, 0) + number
        for slot, hash_ in gone:
            del sizes[slot]
            for name, number in numbers_in(hash_).items():
                total[name] = total.get(name, 0) - number
                if not total[name]:
                    del total[name]
        return Finished(sizes=sizes, total=total)


NOTHING: Final = Finished()


class _Remembered:
    """Of each window the sum that was read last, for as long as the store is used. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: WeakKeyDictionary[MessageStore, dict[Window, Finished]] = WeakKeyDictionary()

    def of(self, store: "MessageStore", window: Window) -> Finished:
        with self._lock:
            return self._found.get(store, {}).get(window, NOTHING)

    def keep(self, store: "MessageStore", window: Window, found: Finished) -> None:
        with self._lock:
            self._found.setdefault(store, {})[window] = found

    def forget(self) -> None:
        """For tests, which count into the past."""
        with self._lock:
            self._found.clear()


remembered: Final = _Remembered()


def are_over(slots: Iterable[Slot], now: float) -> list[Slot]:
    """Those into which nothing is counted any more, as far as clocks tell."""
    return [slot for slot in slots if slot.ends <= now - CLOCKS_APART]
