"""No job twice: how often that was asked, and who holds a key."""

from datetime import UTC, datetime
from typing import Any, Final

import redis
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.core.conf import engine_settings
from apps.core.logs import redact

from ..access import page
from ..broker_trouble import broker_trouble
from ..idempotency_key import durable_answer, holder_of
from ..looking import look
from .base import show

LONGEST_KEY: Final = 2000  # characters


@require_safe
@page
def idempotency(request: HttpRequest) -> HttpResponse:
    key = request.GET.get("key", "").strip()
    trouble = _trouble(key)
    return show(
        request,
        "monitoring/idempotency.html",
        title="Idempotency",
        place="idempotency",
        numbers=look(now=datetime.now(UTC)).snapshot.idempotency,
        key=key,
        trouble=trouble,
        status=400 if trouble else 200,
        **({} if trouble or not key else _found(key)),
    )


def _trouble(key: str) -> str:
    if "\0" in key or not key.isprintable():
        return "A key holds no characters that cannot be printed."
    return f"A key has {LONGEST_KEY:,} characters at most." if len(key) > LONGEST_KEY else ""


def _known_trouble() -> str:
    """Keys are on the broker's server unless the settings name another: then nobody waits for that one in vain."""
    return broker_trouble() if engine_settings().store_url is None else ""


def _found(key: str) -> dict[str, Any]:
    holder, unknown = None, _known_trouble()
    try:
        holder = None if unknown else holder_of(key)
    except redis.RedisError as error:
        unknown = redact(f"{type(error).__name__}: {error}")
    answer = durable_answer(key)
    return {"holder": holder, "answer": answer, "unknown": unknown, "is_known": bool(holder or answer)}
