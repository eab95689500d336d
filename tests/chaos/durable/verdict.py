"""What a run shows: judged by the database, the journal and what was done to it, not by what the engine says."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from ..journal import Line
from ..verdict import Struck
from .failpoints import DEED
from .ledger import Books, Done
from .scenario import ACCOUNTS, LOSES_DATA, OPENING, RELAY_STEP, Scenario

# Reached only when the job's row is committed, where it was enqueued outside of a transaction.
COMMITTED_BY = ("outbox.written", "outbox.published", "relay.published", "returned")
PUBLISHED_BY = ("outbox.published", "relay.published")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    scenario: Scenario
    seed: int
    lines: Sequence[Line]
    books: Books
    struck: Sequence[Struck]
    # Celery 5.7 ends a worker whose prefork child is found dead when the worker connects to the broker again; a
    # service manager starts another one. That costs time and no job.
    worker_exits: int  # of main processes that nobody had killed
    unexpected_exits: Sequence[str]  # of other processes that nobody had killed
    known_rows: int  # messages that the broker takes for published ones with rows
    left: dict[str, int]  # place on the broker: messages that were still there
    forgotten: int  # leases of which their owners knew nothing until they ended
    seconds: float  # from the first job to the end of the waiting
    tracebacks: int

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept, in words; empty where all were."""
        findings = {
            f"{len(self.lost)} transfers are lost: {self.lost}": self.lost,
            f"{len(self.twice)} transfers were done twice: {self.twice}": self.twice,
            f"{len(self.ghosts)} ran though they were never committed: {_named(self.ghosts)}": self.ghosts,
            f"accounts that are wrong: {self.wrong_accounts}": self.wrong_accounts,
            f"{len(self.childless)} children are missing: {_named(self.childless)}": self.childless,
            f"{len(self.twins)} durable children ran twice: {_named(self.twins)}": self.twins,
            f"{len(self.orphans)} children of rolled-back attempts ran: {_named(self.orphans)}": self.orphans,
            f"{self.books.outbox} rows are left in the outbox": self.books.outbox,
            f"the broker still knows {self.known_rows} rows": self.known_rows,
            f"{self.worker_exits} workers ended by themselves": self.worker_exits,
            f"processes ended by themselves: {', '.join(self.unexpected_exits)}": self.unexpected_exits,
            f"{self.forgotten} leases were unknown to their owners": self.forgotten,
        }
        return [words for words, found in findings.items() if found]

    # Jobs of the enqueuer, and the transfers that they are to do.

    @cached_property
    def committed(self) -> set[int]:
        """Jobs that exist."""
        return {*self.books.orders} | (self._outside & self._jobs(*COMMITTED_BY))

    @cached_property
    def unknown(self) -> set[int]:
        """Jobs of a caller who died of it, or was refused, outside of a transaction: they may exist or not."""
        return self._outside - self.committed

    @property
    def rolled_back(self) -> set[int]:
        return self._enqueued.keys() - self._outside - self.committed

    @cached_property
    def due(self) -> set[int]:
        """Transfers that are to happen once, however many of the jobs with this key are committed."""
        return {self._enqueued[job] for job in self.committed}

    @cached_property
    def lost(self) -> list[int]:
        return sorted(self.due - self._happened.keys())

    @cached_property
    def twice(self) -> list[int]:
        return sorted(number for number, times in self._happened.items() if times > 1)

    @cached_property
    def ghosts(self) -> list[int]:
        """Jobs that ran though their transactions were rolled back."""
        started = self._jobs("start") | {done.job for done in self.books.done}
        return sorted(started - self.committed - self.unknown)

    @cached_property
    def wrong_accounts(self) -> dict[str, str]:
        """What is on them, and what should be: the amount of each transfer once, as the seed has it."""
        may_be = {self._enqueued[job] for job in self.unknown} & self._happened.keys()
        right = dict.fromkeys(ACCOUNTS, OPENING)
        for number in self.due | may_be:
            moved = self.scenario.transfer(self.seed, number)
            right[moved.source] -= moved.amount
            right[moved.target] += moved.amount
        return {
            name: f"{self.books.balances.get(name)} instead of {amount}"
            for name, amount in right.items()
            if self.books.balances.get(name) != amount
        }

    @cached_property
    def _happened(self) -> Counter[int]:
        return Counter(done.number for done in self.books.done)

    @cached_property
    def _enqueued(self) -> dict[int, int]:
        """Job: number of its transfer."""
        return self._begun("outside") | self._begun("inside")

    @cached_property
    def _outside(self) -> set[int]:
        """Jobs that were enqueued outside of a transaction."""
        return {*self._begun("outside")}

    def _begun(self, where: str) -> dict[int, int]:
        deeds = ((line.number, *line.deed.split(":")) for line in self.lines if line.deed.startswith(f"{where}:"))
        return {job: int(number) for job, _, number in deeds}

    # Their children.

    @cached_property
    def _ran(self) -> Counter[int]:
        return Counter({child: times for (child, _), times in self.books.children.items()})

    @cached_property
    def childless(self) -> list[int]:
        """Jobs whose child has not run and, where it is plain, cannot have been lost with the broker's data."""
        return sorted(
            done.job for done in self._without_child if done.durable_child or not self._may_be_lost_with_data(done)
        )

    @cached_property
    def children_lost_with_data(self) -> int:
        """Plain children: once they are published, only the broker has them, and it has lost its data since."""
        return len(self._without_child) - len(self.childless)

    @property
    def unpublished(self) -> int:
        """Children of which nobody has said that they were published: whoever did it was killed right after."""
        told = self._jobs(*PUBLISHED_BY)
        return sum(done.child not in told for done in self.books.done)

    @cached_property
    def twins(self) -> list[int]:
        return sorted(done.child for done in self.books.done if done.durable_child and self._ran[done.child] > 1)

    @property
    def repeated_plain_children(self) -> int:
        return sum(not done.durable_child and self._ran[done.child] > 1 for done in self.books.done)

    @cached_property
    def orphans(self) -> list[int]:
        born = {(done.child, done.job) for done in self.books.done}
        return sorted(child for child, parent in self.books.children if (child, parent) not in born)

    @cached_property
    def _without_child(self) -> list[Done]:
        return [done for done in self.books.done if not self._ran[done.child]]

    def _may_be_lost_with_data(self, done: Done) -> bool:
        return any(struck.blow in LOSES_DATA and done.at < struck.until for struck in self.struck)

    # Numbers.

    @cached_property
    def republished(self) -> int:
        """Publications by a relay of what had been published before."""
        published: set[int] = set()
        again = 0
        for line in self.lines:
            if line.deed in PUBLISHED_BY:
                again += line.deed == "relay.published" and line.number in published
                published.add(line.number)
        return again

    @property
    def published_by_relay_first(self) -> int:
        return sum(line.deed == "relay.published" for line in self.lines) - self.republished

    @property
    def longest_to_done(self) -> float:
        begun = {line.number: line.at for line in self.lines if line.number in self._enqueued and ":" in line.deed}
        return max((done.at - begun[done.job] for done in self.books.done if done.job in begun), default=0.0)

    @property
    def attempts(self) -> int:
        return sum(line.deed == "start" for line in self.lines)

    @property
    def refused(self) -> int:
        return sum(line.deed == "refused" for line in self.lines)

    @property
    def done(self) -> Counter[StrEnum]:
        return Counter(struck.blow for struck in self.struck)

    @property
    def killed_at(self) -> dict[str, dict[str, int]]:
        """Step: who was killed at it, and how often."""
        enqueuers = {line.pid for line in self.lines if line.number in self._enqueued and ":" in line.deed}
        killed: dict[str, Counter[str]] = defaultdict(Counter)
        for line in self.lines:
            if line.deed.startswith(DEED):
                step = line.deed.removeprefix(DEED)
                by_step = "relay" if step == RELAY_STEP else "worker"
                killed[step]["enqueuer" if line.pid in enqueuers else by_step] += 1
        return {step: dict(who) for step, who in sorted(killed.items())}

    def _jobs(self, *deeds: str) -> set[int]:
        return {line.number for line in self.lines if line.deed in deeds}


def _named(jobs: Sequence[int], most: int = 5) -> str:
    from uuid import UUID

    names = ", ".join(str(UUID(int=job)) for job in jobs[:most])
    return f"{names}, ..." if len(jobs) > most else names
