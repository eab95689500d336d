"""Something that is wrong with the jobs, and what repairs it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

Severity = Literal["critical", "warning"]
# The buttons that repair something; each has the name of what operators do.
Action = Literal["resume", "resume_entry", "fire", "retry", "unfuse", "release_key"]

# Every problem that there is, by what is likeliest to be the cause of the others: the first that is found is the one
# that the verdict speaks of.
CODES: Final = (
    "server_unreachable",
    "database_unreachable",
    "server_refuses_writes",
    "no_workers",
    "queue_without_consumer",
    "beat_silent",
    "outbox_waits",
    "queue_paused",
    "queue_over_sla",
    "store_unreachable",
    "breaker_open",
    "task_fused",
    "sla_burns_fast",
    "sla_burns_slowly",
    "dead_letters_growing",
    "failure_new",
    "dead_letters_open",
    "firings_lost",
    "firings_late",
    "entry_paused",
    "memory_high",
    "evicted_keys",
    "connections_high",
    "owner_silent",
    "quarantine_not_empty",
    "runs_not_archived",
    "claimed_by_stock",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    code: str  # one of CODES
    severity: Severity
    message: str  # what is broken, as a sentence without its full stop
    hint: str  # what to do, in sentences
    cause: str = ""  # why, as far as that can be told, to follow a colon
    since: datetime | None = None  # None: not known
    queue: str | None = None
    entry: str | None = None  # of the timetable
    action: Action | None = None  # the button that repairs it; None: no button does
    target: str | None = None  # what that button is pressed for

    @property
    def sentence(self) -> str:
        return f"{self.message}{': ' if self.cause else ''}{self.cause}. {self.hint}"


def worst_first(found: Iterable[Problem]) -> list[Problem]:
    """What is critical, then by CODES; else in the order in which they are given."""
    return sorted(found, key=lambda one: (one.severity != "critical", CODES.index(one.code)))
