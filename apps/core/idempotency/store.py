"""The records of keys: every change of one is one script, so who got there first is never in doubt.

absent -> running -> succeeded | failed, or running -> waiting_retry -> running.
The record of a dead owner is taken over.
"""

from dataclasses import dataclass
from enum import IntEnum
from itertools import count
from pathlib import Path
from typing import Any, Final, Literal

import redis

from ..fast_script import Connections, FastScript
from ..owners import ensure_heartbeat, keep_quiet, owner_id
from ..owners.identity import PREFIX as OWNER_PREFIX
from ..owners.identity import QUIET
from . import result

RECORD_PREFIX: Final = "bgjobs:idempotency:"
FENCE_KEY: Final = "bgjobs:fence"
LONGEST_CLAIM: Final = 7 * 24 * 3600.0  # seconds that the claim of a job which never ends is kept

_HERE = Path(__file__).parent
_calls = count()  # so that a claim which is sent again is known for the same


class Ended(IntEnum):
    """What became of the end of a claim, as finish.lua says it."""

    STORED = 1
    TAKEN_OVER = 0  # somebody else has the key; nothing was stored
    GONE = -1  # released, expired or lost with the server's data; nothing was stored


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """The key is this job's: run it, then finish with this fence."""

    key: str
    fence: int
    attempt: int  # 1 for the first holder of the key; more after takeovers and retries


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Another job holds the key, or another delivery of this one."""

    key: str
    state: Literal["running", "waiting_retry"]
    job: str
    owner: str
    fence: int
    since: int  # seconds since the epoch, by the server's clock
    owner_alive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Succeeded:
    key: str
    job: str
    result: result.StoredResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    key: str
    job: str
    error: str  # name of the error's class
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A key as operators see it."""

    key: str
    fields: dict[str, str]
    seconds_to_live: float
    owner_alive: bool


class IdempotencyStore:
    """Records in Valkey or Redis. Every method is one round trip and raises redis.RedisError when that fails."""

    def __init__(self, client: redis.Redis) -> None:
        connections = Connections(client)

        self._claim = FastScript(
            connections, (_HERE / "claim.lua").read_text(), on_new_server=lambda: keep_quiet(connections)
        )
        self._finish = FastScript(connections, (_HERE / "finish.lua").read_text())
        self._inspect = FastScript(connections, (_HERE / "inspect.lua").read_text())
        self._forgive = FastScript(connections, (_HERE / "forgive.lua").read_text())
        self._live: set[int] = set()  # fences of the claims that this process is working on

    def claim(self, key: str, *, job: str) -> Claimed | Held | Succeeded | Failed:
        """Take the key for a job, or learn who has it or how it ended."""
        ensure_heartbeat()
        outcome = self._claim_once(key, job=job, gone="")
        if isinstance(outcome, Held) and outcome.owner == owner_id() and outcome.fence not in self._live:
            # This process had it and could not say that it was done: nobody is working on it.
            outcome = self._claim_once(key, job=job, gone=str(outcome.fence))
        if isinstance(outcome, Claimed):
            self._live.add(outcome.fence)
        return outcome

    def succeed(self, claim: Claimed, value: Any, ttl: float) -> Ended:
        """Store the result for `ttl` seconds, unless the claim has been lost."""
        return self._end(claim, "succeeded", ttl, "result", result.encode(value))

    def fail(self, claim: Claimed, error: str, message: str, ttl: float) -> Ended:
        """Store the failure for `ttl` seconds, unless the claim has been lost."""
        return self._end(claim, "failed", ttl, "error", error, "message", message)

    def wait_for_retry(self, claim: Claimed, ttl: float) -> Ended:
        """Keep the key for the same job's next attempt, `ttl` seconds at most, unless the claim has been lost."""
        return self._end(claim, "waiting_retry", ttl)

    def let_go(self, claim: Claimed) -> Ended:
        """End the claim as if it had never been."""
        return self._end(claim, "waiting_retry", 0)

    def abandon(self, claim: Claimed) -> None:
        """Stop counting as the claim's worker, without telling the server: it does not answer."""
        self._live.discard(claim.fence)

    def look_up(self, key: str) -> Record | None:
        return self._read(key, remove=False)

    def release(self, key: str) -> Record | None:
        """Forget the key; a job that still runs under it cannot store its result any more."""
        return self._read(key, remove=True)

    def forgive(self, key: str, *, job: str) -> bool:
        """Forget that this very job has failed under the key. Returns whether that was stored."""
        return bool(self._forgive(keys=[RECORD_PREFIX + key], args=[job]))

    def _claim_once(self, key: str, *, job: str, gone: str) -> Claimed | Held | Succeeded | Failed:
        owner = owner_id()
        reply = self._claim(
            keys=[RECORD_PREFIX + key, FENCE_KEY, QUIET],
            args=[
                job,
                owner,
                str(next(_calls)),
                int(LONGEST_CLAIM * 1000),
                OWNER_PREFIX,
                gone,
            ],
        )
        return _outcome(key, reply)

    def _end(self, claim: Claimed, state: str, ttl: float, *fields: str) -> Ended:
        code = self._finish(
            keys=[RECORD_PREFIX + claim.key], args=[claim.fence, state, max(int(ttl * 1000), 1), *fields]
        )
        self._live.discard(claim.fence)
        return Ended(code)

    def _read(self, key: str, *, remove: bool) -> Record | None:
        reply = self._inspect(keys=[RECORD_PREFIX + key], args=[OWNER_PREFIX, "1" if remove else "0"])
        if not reply:
            return None
        milliseconds, alive, *pairs = reply
        return Record(
            key=key,
            fields=dict(zip(pairs[::2], pairs[1::2], strict=True)),
            seconds_to_live=milliseconds / 1000,
            owner_alive=alive == "1",
        )


def _outcome(key: str, reply: list[str]) -> Claimed | Held | Succeeded | Failed:
    match reply:
        case ["claimed", fence, attempt]:
            return Claimed(key=key, fence=int(fence), attempt=int(attempt))
        case ["held", "running" | "waiting_retry" as state, job, owner, fence, since, alive]:
            return Held(
                key=key,
                state=state,
                job=job,
                owner=owner,
                fence=int(fence),
                since=int(since),
                owner_alive=alive == "1",
            )
        case ["succeeded", job, text]:
            return Succeeded(key=key, job=job, result=result.decode(text))
        case ["failed", job, error, message]:
            return Failed(key=key, job=job, error=error, message=message)
    raise ValueError(f"claim.lua answered {reply!r}")
