"""No job twice: keys, claims and stored results."""

from .guard import records, run_once
from .key import KeyRule, canonical, job_key
from .literals import body_settings
from .store import Claimed, Ended, Failed, Held, IdempotencyStore, Record, Succeeded

__all__ = [
    "Claimed",
    "Ended",
    "Failed",
    "Held",
    "IdempotencyStore",
    "KeyRule",
    "Record",
    "Succeeded",
    "body_settings",
    "canonical",
    "job_key",
    "records",
    "run_once",
]
