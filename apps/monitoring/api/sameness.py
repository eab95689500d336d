"""When two answers are the same: what an ETag is made of.

Left out is what changes by itself while nothing happens: when the answer was made, and ages that say how long ago
something was, of which the moment is taken instead. How long something has waited counts: it is what one watches.
Numbers with a fraction, and bytes, count to three digits: nobody sees more of them.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

DIGITS: Final = 3


def comparable(facts: Mapping[str, Any]) -> dict[str, Any]:
    """`facts`: as api/metrics/ answers."""
    left_out = {"generated_at", "known_age_seconds"} | (set() if facts["stale"] else {"known_at"})
    kept = {name: _rounded(value, name) for name, value in facts.items() if name not in left_out}
    age = facts["schedules"]["last_firing_age_seconds"]
    if age is not None:
        at = datetime.fromisoformat(facts["known_at"] or facts["generated_at"]) - timedelta(seconds=age)
        kept["schedules"] |= {"last_firing_age_seconds": round(at.timestamp())}
    return kept


def _rounded(value: Any, name: str = "") -> Any:
    match value:
        case dict():
            return {key: _rounded(one, key) for key, one in value.items()}
        case list():
            return [_rounded(one) for one in value]
        case float():
            return float(f"{value:.{DIGITS}g}")
        case int() if name.endswith("_bytes"):
            return float(f"{value:.{DIGITS}g}")
        case _:
            return value
