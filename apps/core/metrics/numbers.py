"""Counts of one span of time, and what can be asked of them. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self

from .events import BUCKETS, EDGES_OF, NONE, SUMS, Field, Measure, parse
from .histogram import Histogram

Part = Literal["queue", "task", "reason"]
MICROSECONDS: Final = 1_000_000

_Those = tuple[tuple[Field, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """What happened in a span of time."""

    span_seconds: float  # of the counted minutes, up to now
    by_event: Mapping[str, _Those]
    by_queue: Mapping[tuple[str, str], _Those]  # by event and queue: what is asked most often

    @classmethod
    def of(cls, counts: Mapping[Field, int], *, span_seconds: float) -> Self:
        return cls._of(counts.items(), span_seconds)

    @classmethod
    def _of(cls, counts: Iterable[tuple[Field, int]], span_seconds: float) -> Self:
        events: dict[str, list[tuple[Field, int]]] = defaultdict(list)
        queues: dict[tuple[str, str], list[tuple[Field, int]]] = defaultdict(list)
        for field, count in counts:
            events[field.event].append((field, count))
            queues[field.event, field.queue].append((field, count))
        return cls(
            span_seconds=span_seconds,
            by_event={event: tuple(those) for event, those in events.items()},
            by_queue={place: tuple(those) for place, those in queues.items()},
        )

    @classmethod
    def read(cls, counts: Mapping[bytes, int], *, span_seconds: float) -> Self:
        """Out of the fields of hashes. What is none of ours is ignored."""
        parsed = ((parse(name), count) for name, count in counts.items())
        return cls._of(((field, count) for field, count in parsed if field is not None), span_seconds)

    def count(
        self, event: str, *, queue: str | None = None, task: str | None = None, reason: str | None = None
    ) -> int:
        """How often this happened: with this queue, task and reason where they are given."""
        return sum(count for _, count in self._those(event, queue, task, reason))

    def by(self, event: str, part: Part, *, queue: str | None = None, task: str | None = None) -> dict[str, int]:
        """How often this happened for each queue, task or reason that it happened to."""
        found: dict[str, int] = defaultdict(int)
        for field, count in self._those(event, queue, task, None):
            found[getattr(field, part)] += count
        return dict(found)

    def histogram(self, measure: Measure, *, queue: str | None = None, task: str | None = None) -> Histogram:
        edges = EDGES_OF[measure]
        buckets = [0] * (len(edges) + 1)
        for field, count in self._those(BUCKETS[measure], queue, task, None):
            if field.reason.isdecimal() and int(field.reason) < len(buckets):
                buckets[int(field.reason)] += count
        total = self.count(SUMS[measure], queue=queue, task=task)
        return Histogram(edges=edges, buckets=tuple(buckets), sum_seconds=total / MICROSECONDS)

    def tasks(self) -> list[tuple[str, str]]:
        """Task and queue of all that happened, in order of their names; what has no known task left out."""
        pairs = {(field.task, field.queue) for field in self._fields() if field.task != NONE}
        return sorted(pairs)

    def _fields(self) -> Iterator[Field]:
        for those in self.by_event.values():
            yield from (field for field, _ in those)

    def _those(
        self, event: str, queue: str | None, task: str | None, reason: str | None
    ) -> Iterable[tuple[Field, int]]:
        those = self.by_event.get(event, ()) if queue is None else self.by_queue.get((event, queue), ())
        return (
            (field, count)
            for field, count in those
            if (task is None or field.task == task) and (reason is None or field.reason == reason)
        )
