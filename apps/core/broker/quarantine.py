"""Messages that are not tried again by themselves, with all that is known of them."""

import base64
import json
import time
from collections.abc import Sequence
from typing import Any

from ..owners import owner_id
from .store import Entry


def record(entry: Entry, reason: str, *, detail: str = "", history: Sequence[str] = ()) -> str:
    """The JSON that is kept: the message exactly as it was published, where it was, and why it is here."""
    return json.dumps(
        {
            "reason": reason,
            "detail": detail,
            "at": time.time(),
            "by": owner_id(),
            "queue": entry.queue,
            "list": entry.list,
            "history": list(history),
            **_text(entry.text),
        }
    )


def original(kept: dict[str, Any]) -> bytes:
    """The message in a record that was read back."""
    return base64.b64decode(kept["base64"]) if "base64" in kept else kept["message"].encode()


def _text(text: bytes) -> dict[str, str]:
    try:
        return {"message": text.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(text).decode()}
