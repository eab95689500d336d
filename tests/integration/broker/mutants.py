"""Scripts with one mistake each, to see that the tests notice it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from apps.core.broker import scripted

# What is wrong -> script, what is replaced, and by what.
MUTANTS: Final = {
    "a lease ends before its message is back": (
        "common",
        "      local pushed = redis.pcall('RPUSH', P .. list, text)\n",
        "      redis.call('HDEL', key, lease)\n      local pushed = redis.pcall('RPUSH', P .. list, text)\n",
    ),
    "messages go back in the wrong order": ("common", "rank[a] > rank[b]", "rank[a] < rank[b]"),
    "messages go back behind all others": ("common", "redis.pcall('RPUSH', P", "redis.pcall('LPUSH', P"),
    "what is due is lost where a list is spoiled": ("common", "~= 'list' and kind ~= 'none'", "== ''"),
    "a pause holds nothing back": ("claim", "if not is_paused(queue, now) then", "if true then"),
    "a claim is not remembered": ("claim", "if call == tonumber(last_call) then", "if false then"),
    "a late claim takes messages": ("claim", "if call < tonumber(last_call) then", "if false then"),
    "who is dead may claim": ("claim", "if not is_alive(owner) then", "if false then"),
    "acknowledgements are lost with a refusal": (
        "claim",
        "local refused = refusal()\n",
        "local refused = refusal()\nif refused then return {'refused', refused} end\n",
    ),
    "a full server's messages are taken, and not noted": (
        "claim",
        "if refused then return {'refused', refused} end\n",
        "if refused then redis.call('RPOP', P .. queues[1]) return {'refused', refused} end\n",
    ),
    "a list is served last in, first out": ("claim", "redis.pcall('RPOP'", "redis.pcall('LPOP'"),
    "low priorities come first": (
        "claim",
        "for _, step in ipairs(STEPS) do",
        "for _, step in ipairs({STEPS[4], STEPS[3], STEPS[2], STEPS[1]}) do",
    ),
    "a holder of leases is known to nobody": ("claim", "redis.call('SADD', OWNERS, owner)", "redis.call('PING')"),
    "nobody keeps quiet": ("pulse", "not quiet and ", ""),
    "silence is punished at once": ("pulse", " and now - tonumber(since) >= patience then", " then"),
    "the living are rescued": ("pulse", "if owner == self or is_alive(owner) then", "if owner == self then"),
    "a zombie's last claim is forgotten": (
        "pulse",
        "redis.call('EXPIRE', call_key(owner), CALL_KEPT)",
        "redis.call('DEL', call_key(owner))",
    ),
    "a full server is asked too late": (
        "pulse",
        "local now = clock()\n",
        "local now = clock()\nrefused = refusal()\n",
    ),
    "an owner that has left counts as alive": ("leave", "redis.call('DEL', owner_key(owner), ", "redis.call('DEL', "),
    "a delayed message takes another's place": (
        "settle",
        "if what == 'delay' then\n",
        "if what == 'delay' then\n  redis.call('DEL', delayed_key(ARGV[5]))\n",
    ),
    "a delayed message does not say when its wait began": ("publish", "math.max(now, due)", "now"),
    "a purge forgets": ("purge", "redis.call('RENAME', list, aside .. step)", "redis.call('DEL', list)"),
}


@contextmanager
def mutant(what: str, folder: Path) -> Iterator[None]:
    """Stores that are made meanwhile run the mutant."""
    script, old, new = MUTANTS[what]
    shutil.copytree(scripted.LUA, folder, dirs_exist_ok=True)
    path = folder / f"{script}.lua"
    text = path.read_text()
    assert text.count(old) == 1, f"{script}.lua has not what this mutant changes"
    path.write_text(text.replace(old, new))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripted, "LUA", folder)
        scripted._text.cache_clear()
        yield
    scripted._text.cache_clear()
