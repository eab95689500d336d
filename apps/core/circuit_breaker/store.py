"""The state of every service's breaker: each change is one script, by the server's clock, so that all workers agree.

closed -> open -> half_open, while one probe is under way -> closed, or open again.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import redis

from ..fast_script import Connections, FastScript
from .options import Breaker

RECORD_PREFIX: Final = "bgjobs:breaker:"
FAILURES_PREFIX: Final = "bgjobs:breaker_failures:"
PARKED_PREFIX: Final = "bgjobs:breaker_parked:"
KNOWN_KEY: Final = "bgjobs:breakers"
OF_PROBE: Final = ""  # in place of an era

State = Literal["closed", "open", "half_open"]

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """The service may be called; what comes of it counts under this name."""

    call: str
    era: str  # the stretch of being closed in which the call was let through; OF_PROBE for the probe

    @property
    def is_probe(self) -> bool:
        return self.era == OF_PROBE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    probe_at: float  # seconds since the epoch, by the server's clock: when to ask again


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerStatus:
    """A breaker as operators see it. Moments are seconds since the epoch, by the server's clock."""

    service: str
    state: State
    since: float  # when it left closed, or came back to it
    failures: int  # in a row, failed probes included
    probe_at: float | None  # when the service is tried next, or the probe under way is given up
    parked: int  # jobs whose time to ask again has not come


class BreakerStore:
    """Breakers in Valkey or Redis. Every method but `look` is one round trip; all raise redis.RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        connections, common = Connections(client), (_HERE / "common.lua").read_text()

        def script(name: str) -> FastScript:
            return FastScript(connections, common + (_HERE / f"{name}.lua").read_text())

        self._admit, self._fail, self._succeed = script("admit"), script("fail"), script("succeed")
        self._withdraw, self._park = script("withdraw"), script("park")

    def admit(self, service: str, call: str, *, lease: float) -> Admitted | Refused:
        """Ask for `call`, a name that no other call has. As a probe it is given up after `lease` seconds."""
        match self._run(self._admit, service, call, lease):
            case ["closed", era]:
                return Admitted(call=call, era=era)
            case ["probe"]:
                return Admitted(call=call, era=OF_PROBE)
            case ["refused", probe_at]:
                return Refused(probe_at=float(probe_at))
            case reply:
                raise ValueError(f"admit.lua answered {reply!r}")

    def fail(self, service: str, admitted: Admitted, options: Breaker) -> float | None:
        """Count a failure. Returns the moment of the next probe where this one has opened the breaker."""
        reply = self._run(self._fail, service, admitted.call, admitted.era, options.failures, options.open_for)
        return float(reply) if reply else None

    def succeed(self, service: str, admitted: Admitted) -> bool:
        """Count a success. True where this one has closed the breaker."""
        return bool(self._run(self._succeed, service, admitted.call, admitted.era))

    def withdraw(self, service: str, admitted: Admitted) -> None:
        """Forget the call: it says nothing about the service."""
        self._run(self._withdraw, service, admitted.call)

    def park(self, service: str, job: str) -> float:
        """The moment, by the server's clock, at which the job may ask again."""
        return float(self._run(self._park, service, job))

    def look(self) -> tuple[BreakerStatus, ...]:
        """The breakers that are not closed, and those behind which jobs are still parked, by name."""
        seconds, microseconds = self._client.time()
        now = seconds + microseconds / 1e6
        services: Any = self._client.zrangebyscore(KNOWN_KEY, now, "+inf")
        with self._client.pipeline() as pipeline:
            for service in sorted(services):
                pipeline.hgetall(RECORD_PREFIX + service)
                pipeline.zcount(PARKED_PREFIX + service, now, "+inf")
            replies = pipeline.execute()
        found = (
            _status(service, record, parked)
            for service, record, parked in zip(sorted(services), replies[::2], replies[1::2], strict=True)
            if record
        )
        return tuple(one for one in found if one.state != "closed" or one.parked)

    def _run(self, script: FastScript, service: str, *args: Any) -> Any:
        keys = [prefix + service for prefix in (RECORD_PREFIX, FAILURES_PREFIX, PARKED_PREFIX)]
        return script(keys=[*keys, KNOWN_KEY], args=[service, *args])


def _status(service: str, record: dict[str, Any], parked: int) -> BreakerStatus:
    return BreakerStatus(
        service=service,
        state=record["state"],
        since=float(record["since"]),
        failures=int(record["failures"]),
        probe_at=float(record["probe_at"]) if "probe_at" in record else None,
        parked=parked,
    )
