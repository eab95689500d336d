"""What operators order: queues that pause, jobs that must not start, messages that are set aside and come back."""

from collections.abc import Sequence
from typing import Final

from . import fuses
from .fuses import Fuse
from .scripted import Scripted

REVOCATION_KEPT: Final = 30 * 24 * 3600  # seconds: a revoked job may be delayed for long
PURGED_KEPT: Final = 24 * 3600  # seconds that purged messages can still be brought back
AT_ONCE: Final = 1000  # messages that one command moves, so that nobody waits for long


class Orders(Scripted):
    """Every method raises redis.RedisError. Claims look at what is ordered, so it holds for all workers at once."""

    def pause(self, queue: str, *, seconds: float, why: str) -> float:
        """Stop all claims of a queue, for `seconds` or, with 0, until `resume`. Returns when it ends; 0: never."""
        return float(self.run("pause", queue, repr(float(seconds)), why))

    def resume(self, queue: str) -> bool:
        """Returns whether the queue was paused."""
        return bool(self.run("resume", queue))

    def revoke(self, jobs: Sequence[str]) -> None:
        """Let these jobs not start any more, wherever they wait."""
        self.run("revoke", REVOCATION_KEPT, *jobs)

    def revoked_since(self, moment: float) -> dict[str, float]:
        """Job ids that were revoked at `moment` or later, and when."""
        found = self.connections.call("ZRANGE", self.key("revoked"), repr(moment), "+inf", "BYSCORE", "WITHSCORES")
        # The newer protocol answers in pairs, the older one in a row.
        pairs = found if found and isinstance(found[0], list) else zip(found[::2], found[1::2], strict=True)
        return {job.decode(): float(when) for job, when in pairs}

    def purge(self, queue: str) -> int:
        """Set a queue's waiting messages aside for a day. Returns how many."""
        return int(self.run("purge", queue, PURGED_KEPT))

    def restore_purged(self, queue: str) -> int:
        """Put back what was purged from a queue within a day. Returns how many messages."""
        restored: int = 0
        while True:
            moved, more = self.run("restore_purged", queue, AT_ONCE)
            restored += moved
            if more == b"0":
                return restored

    def fuse(self, task: str, *, seconds: float, why: str) -> float:
        """Let no job of a task start for so long. Returns when that ends."""
        return float(self.run("fuse", task, repr(float(seconds)), why))

    def unfuse(self, task: str) -> int:
        """Let a task's jobs start again. Returns how many were parked."""
        moved: int = 0
        while True:
            _, more, seen = self.run("unfuse", task, AT_ONCE, moved)
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
