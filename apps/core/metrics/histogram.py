"""How long things took, as counts of buckets. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Histogram:
    edges: Sequence[float]  # upper edges, in seconds, each part of its bucket
    buckets: Sequence[int]  # how many in each bucket; one more than edges
    sum_seconds: float

    @property
    def count(self) -> int:
        return sum(self.buckets)

    @property
    def mean(self) -> float | None:
        """Seconds; None where there is nothing."""
        return self.sum_seconds / self.count if self.count else None

    def percentile(self, share: float) -> float | None:
        """The seconds that this share of all did not exceed; None where there is nothing.

        As if the values of a bucket lay evenly between its edges. Of those above the last edge nothing more is known:
        they count as the last edge.
        """
        if not 0 <= share <= 1:
            raise ValueError(f"a share is between 0 and 1, not {share}")
        wanted, below, lower = share * self.count, 0, 0.0
        if not self.count:
            return None
        for upper, here in zip(self.edges, self.buckets, strict=False):
            if here and below + here >= wanted:
                return lower + (upper - lower) * (wanted - below) / here
            below, lower = below + here, upper
        return self.edges[-1]

    def within(self, seconds: float) -> int:
        """How many surely took no longer than this: exact where it is an edge."""
        return sum(here for upper, here in zip(self.edges, self.buckets, strict=False) if upper <= seconds)

    def cumulative(self) -> list[tuple[float, int]]:
        """For each edge, how many took no longer. Those above the last are in `count` only."""
        return list(self._cumulative())

    def _cumulative(self) -> Iterator[tuple[float, int]]:
        total = 0
        for upper, here in zip(self.edges, self.buckets, strict=False):
            total += here
            yield upper, total
