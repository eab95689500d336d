"""The buttons that problems name, which are apps/core/health/problem.py's actions."""

from typing import Final

# By the name of the offer: what it is done to, as its address says it.
REPAIRS: Final = {
    "resume": "queue",
    "resume_entry": "entry",
    "fire": "entry",
    "retry": "fingerprint",
    "unfuse": "task",
    "release_key": "key",
}
NAMING: Final = ("resume", "resume_entry", "fire")  # whose buttons name the target: it is short
