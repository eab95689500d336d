"""What is counted, and how a count is named: the one table that the scripts' writers and the readers share.

A count is a field of a hash, "<event> <queue> <reason> <task>"; its value is a whole number.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

PUBLISHED: Final = "published"
STARTED: Final = "started"  # attempts that began
SUCCEEDED: Final = "succeeded"
FAILED: Final = "failed"  # whatever was set aside, but what follows; its reason is one of FailureReason
RETRIED: Final = "retried"  # likewise; the retry is a publication of its own
DEDUPLICATED: Final = "deduplicated"  # a duplicate, answered
WAITED: Final = "waited"  # a duplicate, sent back for a moment
PARKED: Final = "parked"  # sent back, since a breaker is open
EXPIRED: Final = "expired"
REVOKED: Final = "revoked"
REJECTED: Final = "rejected"
RESCUED: Final = "rescued"  # given back from a worker that is dead
CHECKED: Final = "checked"  # of an idempotency key; its reason is how that came out
LOST: Final = "lost"  # an attempt whose process died, and whose job goes on; in the history, rescued ones, too
FUSED: Final = "fused"  # delayed, since its task is fused: no end of the message
PURGED: Final = "purged"  # a queue's messages, set aside by an operator
RESTORED: Final = "restored"  # such ones, put back

# Each published message ends in exactly one of these.
ENDS: Final = (SUCCEEDED, FAILED, RETRIED, DEDUPLICATED, WAITED, PARKED, EXPIRED, REVOKED, REJECTED)
COUNTED: Final = (PUBLISHED, STARTED, *ENDS, RESCUED, CHECKED, LOST, FUSED, PURGED, RESTORED)
CHECK_OUTCOMES: Final = ("claimed", "answered", "failed", "skipped", "waiting", "refused", "store_down")

# Upper edges of the histograms' buckets, in seconds: one at every SLA. What is above the last has a bucket, too.
EDGES: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
CHECK_EDGES: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)

Measure = Literal["wait", "run", "check", "rescue"]
EDGES_OF: Final[dict[str, tuple[float, ...]]] = {
    "wait": EDGES,  # from the moment a job may start to its start
    "run": EDGES,
    "check": CHECK_EDGES,  # of an idempotency key: claiming, and finishing
    "rescue": EDGES,  # from the death of a worker to the return of its jobs
}
BUCKETS: Final = {measure: f"{measure}_le" for measure in EDGES_OF}  # its reason: the bucket's place among the edges
SUMS: Final = {measure: f"{measure}_us" for measure in EDGES_OF}  # in microseconds

# The stream of ended attempts.
RUNS_KEPT: Final = 20_000  # entries that wait to be archived, about; of more, the oldest are lost to the history
RUNS_TOGETHER: Final = 16  # attempts of one entry, at most

NONE: Final = "-"  # no reason; a queue or task that is unknown
OTHER_TASKS: Final = "(other)"  # all that came after too many different ones

_EVENTS: Final = frozenset((*COUNTED, *BUCKETS.values(), *SUMS.values()))


@dataclass(frozen=True, slots=True)
class Field:
    """What a count is about."""

    event: str
    queue: str
    reason: str
    task: str  # may contain spaces


def field(event: str, queue: str = NONE, reason: str = NONE, task: str = NONE) -> str:
    """The name of a count."""
    return f"{event} {queue} {reason} {task}"


@lru_cache(maxsize=20_000)
def parse(name: bytes) -> Field | None:
    """The field of that name; None where it is none of ours."""
    try:
        event, queue, reason, task = name.decode().split(" ", 3)
    except ValueError:  # an error of decoding is one, too
        return None
    return Field(event, queue, reason, task) if event in _EVENTS and queue and reason and task else None
