"""What a server says of itself in INFO, which needs no right to read or change its configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """None: the server does not say."""

    kind: str  # "valkey" or "redis"
    version: str
    compatible_with: tuple[int, ...]  # the version of Redis whose commands it has
    role: str | None  # "master", or "slave" for a replica
    eviction: str | None  # maxmemory-policy
    keeps_log: bool | None  # it has an append-only file
    memory_limit: int | None  # bytes; 0: none
    memory_used: int | None
    evicted_keys: int | None = None  # since it started; anything but 0 may have been a job

    @classmethod
    def read(cls, info: Mapping[str, Any]) -> Self:
        kind = str(info.get("server_name", "redis"))
        redis_version = str(info.get("redis_version", ""))
        return cls(
            kind=kind,
            version=str(info.get(f"{kind}_version", redis_version)),
            compatible_with=tuple(int(part) for part in redis_version.split(".") if part.isdigit()),
            role=info.get("role"),
            eviction=info.get("maxmemory_policy"),
            keeps_log=bool(info["aof_enabled"]) if "aof_enabled" in info else None,
            memory_limit=info.get("maxmemory"),
            memory_used=info.get("used_memory"),
            evicted_keys=info.get("evicted_keys"),
        )

    @property
    def memory_used_ratio(self) -> float | None:
        if not self.memory_limit or self.memory_used is None:
            return None
        return self.memory_used / self.memory_limit
