"""JSON answers: private, never kept by caches, and a few bytes where nothing has changed."""

import hashlib
import json
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response

from ..security import guarded


def answer(request: HttpRequest, body: Any, *, status: int = 200, same_as: Any = None) -> HttpResponseBase:
    """The body as JSON. With `same_as`, what it is compared by, an If-None-Match that knows it gets a 304."""
    response = JsonResponse(body, status=status, safe=False)
    if same_as is None:
        return guarded(response)
    etag = etag_of(same_as)
    response.headers["ETag"] = etag
    return guarded(get_conditional_response(request, etag=etag, response=response) or response)


def error(status: int, code: str, message: str, **more: Any) -> HttpResponseBase:
    """`code` is for programs, `message` for people."""
    return guarded(JsonResponse({"error": code, "message": message, **more}, status=status))


def etag_of(content: Any) -> str:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), default=str)
    return f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
