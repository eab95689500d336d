"""How a state is shown: a symbol and a word, so that no colour is needed."""

from dataclasses import dataclass
from typing import Final

from apps.core.metrics import events


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    symbol: str
    word: str
    kind: str  # of colour, in pages.css: good, warn, bad or idle


OF_RUNS: Final = {
    events.SUCCEEDED: Sign(symbol="✔", word="succeeded", kind="good"),
    events.FAILED: Sign(symbol="✖", word="failed", kind="bad"),
    events.RETRIED: Sign(symbol="↻", word="retried", kind="warn"),
    events.DEDUPLICATED: Sign(symbol="≡", word="deduplicated", kind="idle"),
    events.WAITED: Sign(symbol="…", word="waited", kind="idle"),
    events.PARKED: Sign(symbol="‖", word="parked", kind="warn"),
    events.EXPIRED: Sign(symbol="⌛", word="expired", kind="bad"),
    events.REVOKED: Sign(symbol="⊘", word="revoked", kind="idle"),
    events.REJECTED: Sign(symbol="✖", word="rejected", kind="bad"),
    events.LOST: Sign(symbol="⚡", word="lost", kind="bad"),
}


def of_run(event: str) -> Sign:
    return OF_RUNS.get(event) or Sign(symbol="?", word=event or "unknown", kind="idle")
