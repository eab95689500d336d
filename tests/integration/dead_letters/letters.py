"""Dead letters made for a test, without a job that fails."""

import json
import uuid
from typing import Any

from django.utils import timezone

from apps.core.dead_letters.models import DeadLetter

from ..broker.trial import text_of

QUEUE = "high_priority"


def made(task: str = "test.dl.work", *args: Any, **changes: Any) -> DeadLetter:
    """An open letter, not saved, of a job with these arguments."""
    headers = changes.pop("headers", {})
    message = json.loads(text_of("x", *args))
    job = changes.setdefault("job", str(uuid.uuid4()))
    message["headers"].update({"id": job, "task": task, **headers})
    now = timezone.now()
    facts = {
        "kept_as": f"test {uuid.uuid4()}",
        "reason": "permanent",
        "task": task,
        "queue": QUEUE,
        "list_name": QUEUE,
        "message": (json.dumps(message)[:-1] + ', "ready_at": 1.000000}').encode(),
        "error": "ValueError",
        "fingerprint": "0123456789abcdef",
        "attempts": 1,
        "first_at": now,
        "last_at": now,
    }
    return DeadLetter(**{**facts, **changes})


def saved(*args: Any, **changes: Any) -> DeadLetter:
    letter = made(*args, **changes)
    letter.save()
    return letter
