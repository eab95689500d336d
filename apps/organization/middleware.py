"""For whom a request works: jobs that it enqueues carry its correlation id, user and tenant."""

import re
import uuid
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from apps.core import context

from .tenancy import tenant_of

HEADER: Final = "X-Request-ID"
# It is written to logs and message headers, so whatever else a client sends is replaced.
_SAFE_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}")


def job_context(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Django middleware: the job context around a request. The response's X-Request-ID is the correlation id."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        correlation_id = correlation_id_of(request)
        with context.using(correlation_id=correlation_id, **_who(request)):
            response = get_response(request)
        response.headers[HEADER] = correlation_id
        return response

    return middleware


def correlation_id_of(request: HttpRequest) -> str:
    """The id that the client or a proxy gave the request, where it is harmless; else a new one."""
    given = request.headers.get(HEADER, "")
    return given if _SAFE_ID.fullmatch(given) else uuid.uuid4().hex


def _who(request: HttpRequest) -> dict[str, int | None]:
    # Without the cookie nobody is signed in, and looking would mark the response as one that varies by cookie.
    if settings.SESSION_COOKIE_NAME not in request.COOKIES or not request.user.is_authenticated:
        return {"user_id": None, "tenant_id": None}
    return {"user_id": request.user.pk, "tenant_id": tenant_of(request.user)}
