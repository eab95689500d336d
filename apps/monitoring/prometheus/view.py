"""`GET /metrics`."""

from contextlib import nullcontext
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from ..api.access import bearer_of_request, read_only, refuse
from ..database_reach import database_answers, database_left_alone
from ..networks import is_within
from ..security import guarded
from ..tokens.scopes import Scope
from .exporting import export
from .gathering import gather

# With one of these a proxy stands between: the address is the proxy's and says nothing about who asks.
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "Via")


@read_only
def metrics(request: HttpRequest) -> HttpResponseBase:
    """For a token with the scope `metrics`, or a client in METRICS_ALLOWED_NETWORKS."""
    with nullcontext() if database_answers() else database_left_alone():
        return _answer(request, datetime.now(UTC))


def _answer(request: HttpRequest, now: datetime) -> HttpResponseBase:
    if "Authorization" in request.headers or not _is_neighbour(request):
        bearer = bearer_of_request(request, now=now)
        if bearer is None or Scope.METRICS not in bearer.scopes:
            return refuse(request, bearer, Scope.METRICS)
    text, content_type = export(gather(now=now), accept=request.headers.get("Accept", ""))
    return guarded(HttpResponse(text, content_type=content_type))


def _is_neighbour(request: HttpRequest) -> bool:
    if any(name in request.headers for name in FORWARDED):
        return False
    return is_within(request.META.get("REMOTE_ADDR", ""), settings.METRICS_ALLOWED_NETWORKS)
