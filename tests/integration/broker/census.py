"""Where everything is, as the server has it at one moment; and how tests name the places."""

import json
from collections import Counter
from typing import Any, Final

import redis

from apps.core.broker import quarantine

PREFIX: Final = "m:"
QUEUES: Final = ("critical", "reports", "email")
STEPS: Final = ("", "\x06\x163", "\x06\x166", "\x06\x169")
LISTS: Final = tuple(queue + step for queue in QUEUES for step in STEPS)
FAR: Final = 1e6  # seconds since the epoch: moments before this one are long past

EVERYTHING = """
local found = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  local kind, value = redis.call('TYPE', key).ok, ''
  if kind == 'list' then value = redis.call('LRANGE', key, 0, -1) end
  if kind == 'hash' then value = redis.call('HGETALL', key) end
  if kind == 'zset' then value = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end
  if kind == 'string' then value = redis.call('GET', key) end
  if kind == 'set' then value = redis.call('SMEMBERS', key) end
  found[#found + 1] = {key, kind, value}
end
return found
"""

Places = dict[str, Any]


class Census:
    """`places` has no empty ones: "list <list>", "delayed <queue>", "leases <owner>", "quarantine" and others."""

    def __init__(self, client: redis.Redis) -> None:
        self.places: Places = {}
        self.is_quiet = False
        found: Any = client.eval(EVERYTHING, 0)
        self._purged: list[tuple[str, str, list[bytes]]] = []
        for key, kind, value in sorted(found):
            self._note(key.decode(), kind.decode(), value)
        for name, _, texts in sorted(self._purged):
            self.places.setdefault(f"purged {name}", []).extend(texts)

    def _note(self, key: str, kind: str, value: Any) -> None:
        name = key.removeprefix(PREFIX)
        _, _, part = name.removeprefix("bgjobs:").partition(":")
        if name in LISTS:
            self.places[f"list {name}"] = value if kind == "list" else kind
        elif name.startswith("bgjobs:delayed:"):
            self.places[f"delayed {part}"] = {entry: float(score) for entry, score in _pairs(value)}
        elif name.startswith("bgjobs:leases:"):
            self.places[f"leases {part}"] = {lease.decode(): entry for lease, entry in _pairs(value)}
        elif name.startswith("bgjobs:purged:"):
            queue, _, moment = part.partition(":")
            moment, separator, priority = moment.partition("\x06\x16")
            self._purged.append((queue + separator + priority, moment, value))
        elif name.startswith("bgjobs:owner:"):
            self.places.setdefault("alive", set()).add(part)
        elif name.startswith("bgjobs:call:"):
            call, _, count = value.partition(b":")
            self.places.setdefault("calls", {})[part] = (int(call), int(count))
        elif name == "bgjobs:owners":
            self.places["owners"] = {owner.decode() for owner in value}
        elif name == "bgjobs:quarantine":
            records = {field.decode(): json.loads(record) for field, record in _pairs(value)}
            self.places["quarantine"] = {field: quarantine.original(record) for field, record in records.items()}
        elif name == "bgjobs:troubles":
            lines = {job.decode(): text.decode().splitlines() for job, text in _pairs(value)}
            self.places["troubles"] = {job: [line.split()[1] for line in told] for job, told in lines.items()}
        elif name == "bgjobs:suspects":
            self.places["suspects"] = {owner.decode(): float(since) < FAR for owner, since in _pairs(value)}
        elif name == "bgjobs:paused":
            untils = {queue.decode(): float(text.split(b"\n")[0]) for queue, text in _pairs(value)}
            self.places["paused"] = {queue: until == 0 or until > FAR for queue, until in untils.items()}
        elif name == "bgjobs:quiet":
            self.is_quiet = True

    def texts(self) -> Counter[bytes]:
        """Every message, once for each place that it is in."""
        found: Counter[bytes] = Counter()
        for place, content in self.places.items():
            kind = place.split()[0]
            if kind in ("list", "purged") and isinstance(content, list):
                found.update(content)
            elif kind in ("delayed", "leases"):
                found.update(text_of(entry) for entry in (content if kind == "delayed" else content.values()))
            elif kind == "quarantine":
                found.update(content.values())
        return found


def text_of(entry: bytes) -> bytes:
    return entry.partition(b"\n")[2]


def list_of(entry: bytes) -> str:
    return entry.partition(b"\n")[0].decode()


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))
