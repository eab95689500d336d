"""Results as they are stored for duplicates."""

from dataclasses import dataclass
from typing import Any

from kombu.exceptions import EncodeError
from kombu.utils.json import dumps, loads

LARGEST_RESULT = 64 * 1024  # bytes of JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResult:
    value: Any  # what the first job returned; None where it was not stored
    omitted: str | None  # why it was not stored


def encode(value: Any) -> str:
    """JSON text for the record, or a marker for a result that is too large or is not JSON."""
    try:
        text: str = dumps({"value": value})
    except (TypeError, ValueError, EncodeError, RecursionError):
        return dumps({"omitted": f"not JSON: {type(value).__name__}"})
    size = len(text.encode())
    return text if size <= LARGEST_RESULT else dumps({"omitted": f"too large: {size} bytes"})


def decode(text: str) -> StoredResult:
    stored = loads(text)
    return StoredResult(value=stored.get("value"), omitted=stored.get("omitted"))
