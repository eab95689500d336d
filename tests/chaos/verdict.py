"""What a run shows: judged by the journal and by what was done, never by what the broker says of itself."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from statistics import median

from .journal import Line
from .scenario import TAKES_SERVER_AWAY, Blow

UNTOLD = 0.05  # seconds before a kill in which a job may have ended and could not say so
RESCUED_WITHIN = 8.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """A blow that has fallen."""

    blow: StrEnum
    at: float  # seconds since the epoch
    until: float  # its effect: the server serves again, the worker goes on
    dead: frozenset[int] = frozenset()  # pids of workers' processes


@dataclass(slots=True)
class Attempt:
    """One start of a job's body."""

    number: int
    start: float
    pid: int
    end: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    number: int
    seconds: float  # from the kill to the next start
    serving_seconds: float  # likewise, from the moment the server served again where it was away meanwhile

    @property
    def server_was_away(self) -> bool:
        return self.serving_seconds < self.seconds


@dataclass(frozen=True, kw_only=True)
class Verdict:
    lines: Sequence[Line]
    struck: Sequence[Struck]
    unexpected_exits: Sequence[str]  # names of workers whose main process ended though nobody killed it
    left: dict[str, int]  # place on the server: messages that were still there
    seconds: float  # from the first job to the last, and the end of the waiting
    tracebacks: int

    @property
    def broken(self) -> list[str]:
        """The promises that were not kept, in words; empty where all were."""
        longest = max((rescue.serving_seconds for rescue in self.rescues), default=0.0)
        findings = {
            f"{len(self.lost)} lost: {self.lost}": self.lost,
            f"{len(self.finished_twice)} finished twice: {self.finished_twice}": self.finished_twice,
            f"a rescue took {longest:.1f} s": longest >= RESCUED_WITHIN,
            f"workers ended by themselves: {', '.join(self.unexpected_exits)}": self.unexpected_exits,
        }
        return [words for words, found in findings.items() if found]

    @cached_property
    def published(self) -> set[int]:
        return self._numbers("published")

    @cached_property
    def lost(self) -> list[int]:
        """Enqueued, and without an end."""
        return sorted(self.published - self._numbers("end"))

    @cached_property
    def _repeated(self) -> dict[int, bool]:
        """Jobs with two ends; whether the first one had the time to tell of it."""
        ends: dict[int, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            if attempt.end is not None:
                ends[attempt.number].append(attempt)
        return {
            number: not all(self._was_untold(attempt) for attempt in attempts[:-1])
            for number, attempts in ends.items()
            if len(attempts) > 1
        }

    @property
    def finished_twice(self) -> list[int]:
        return sorted(number for number, told in self._repeated.items() if told)

    @property
    def finished_twice_untold(self) -> list[int]:
        """The first end came so shortly before the kill of its process, or of the server, that nobody could know."""
        return sorted(number for number, told in self._repeated.items() if not told)

    @cached_property
    def attempts(self) -> list[Attempt]:
        attempts: list[Attempt] = []
        under_way: dict[tuple[int, int], Attempt] = {}
        for line in self.lines:
            key = (line.number, line.pid)
            if line.deed == "start":
                under_way[key] = Attempt(line.number, line.at, line.pid)
                attempts.append(under_way[key])
            elif line.deed == "end":
                under_way.pop(key).end = line.at
        return attempts

    @cached_property
    def rescues(self) -> list[Rescue]:
        by_number: dict[int, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            by_number[attempt.number].append(attempt)
        return [
            self._rescue(killed, kill, following)
            for attempts in by_number.values()
            for killed, following in pairwise(attempts)
            if killed.end is None and (kill := self._killer_of(killed)) is not None
        ]

    @cached_property
    def broken_off(self) -> list[int]:
        """Attempts that came to no end though nobody killed their process."""
        return sorted(a.number for a in self.attempts if a.end is None and self._killer_of(a) is None)

    @property
    def killed_attempts(self) -> int:
        return sum(1 for a in self.attempts if a.end is None and self._killer_of(a) is not None)

    @property
    def done(self) -> Counter[StrEnum]:
        return Counter(struck.blow for struck in self.struck)

    def _numbers(self, deed: str) -> set[int]:
        return {line.number for line in self.lines if line.deed == deed}

    def _killer_of(self, attempt: Attempt) -> Struck | None:
        return next((s for s in self.struck if attempt.pid in s.dead and s.at >= attempt.start), None)

    def _was_untold(self, attempt: Attempt) -> bool:
        assert attempt.end is not None
        kills = (s.at for s in self.struck if attempt.pid in s.dead or s.blow is Blow.KILL_SERVER)
        return any(0 <= at - attempt.end < UNTOLD for at in kills)

    def _rescue(self, killed: Attempt, kill: Struck, following: Attempt) -> Rescue:
        away = [s.until for s in self.struck if s.blow in TAKES_SERVER_AWAY and kill.at < s.until < following.start]
        return Rescue(
            number=killed.number,
            seconds=following.start - kill.at,
            serving_seconds=following.start - max(kill.at, *away) if away else following.start - kill.at,
        )


def in_words(seconds: Iterable[float]) -> str:
    values = sorted(seconds)
    return f"{median(values):.1f} / {values[-1]:.1f} s of {len(values)}" if values else "none"
