"""What comes from outside, as PostgreSQL takes it and its indexes hold it."""

from datetime import UTC, datetime
from typing import Any, Final

LONGEST_NAME: Final = 500  # characters of what has an index


def text(value: Any) -> str:
    """Without the zero character and halves of characters. What is no text is ""."""
    if not isinstance(value, str):
        return ""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def name(value: Any) -> str:
    return text(value)[:LONGEST_NAME]


def moment(seconds: Any) -> datetime | None:
    """None where these are no seconds since the epoch."""
    try:
        return datetime.fromtimestamp(float(seconds), UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
