"""No job twice: keys, claims and stored results."""

from .durable import DoneBeforeError, is_in_transaction, run_in_transaction
from .guard import records, run_once
from .key import KeyRule, canonical, job_key
from .literals import body_settings
from .store import Claimed, Ended, Failed, Held, IdempotencyStore, Record, Succeeded

__all__ = [
    "Claimed",
    "DoneBeforeError",
    "Ended",
    "Failed",
    "Held",
    "IdempotencyStore",
    "KeyRule",
    "Record",
    "Succeeded",
    "body_settings",
    "canonical",
    "is_in_transaction",
    "job_key",
    "records",
    "run_in_transaction",
    "run_once",
]
