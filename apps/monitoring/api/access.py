"""Who may read the API: a session with the permission to look, or a bearer token with the scope."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from ..access import VIEW, may_look
from ..tokens.checking import bearer_of
from ..tokens.recent import Bearer
from ..tokens.scopes import Scope
from .answers import error

View = Callable[..., HttpResponseBase]


def read_only(view: View) -> View:
    """GET and HEAD; anything else is told so, before a form's token would be asked for."""

    @wraps(view)
    @csrf_exempt
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method in ("GET", "HEAD"):
            return view(request, *args, **kwargs)
        response = error(405, "method_not_allowed", "This address is only read: GET or HEAD.")
        response.headers["Allow"] = "GET, HEAD"
        return response

    return checked


def open_to(scope: Scope) -> Callable[[View], View]:
    """A view for tokens with this scope, and for sessions that may look. A token given goes before the session."""

    def decorate(view: View) -> View:
        @wraps(view)
        @read_only
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if "Authorization" in request.headers:
                bearer = bearer_of_request(request, now=datetime.now(UTC))
                allowed = bearer is not None and scope in bearer.scopes
                return view(request, *args, **kwargs) if allowed else refuse(request, bearer, scope)
            if may_look(request):
                return view(request, *args, **kwargs)
            if getattr(request, "user", None) is not None and request.user.is_authenticated:
                return error(403, "forbidden", f"Your account lacks the permission {VIEW}.")
            return refuse(request, None, scope)

        return checked

    return decorate


def bearer_of_request(request: HttpRequest, *, now: datetime) -> Bearer | None:
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    return bearer_of(secret.strip(), now=now) if scheme.lower() == "bearer" else None


def refuse(request: HttpRequest, bearer: Bearer | None, scope: Scope) -> HttpResponseBase:
    """401 for who is not known, 403 for a token that opens other things (RFC 6750, section 3.1)."""
    challenge = 'Bearer realm="background jobs"'
    if bearer is not None:
        response = error(403, "insufficient_scope", f"This token lacks the scope {scope.value}.")
        challenge += f', error="insufficient_scope", scope="{scope.value}"'
    elif "Authorization" in request.headers:
        response = error(401, "invalid_token", "This token is none of ours, or is expired or revoked.")
        challenge += ', error="invalid_token"'
    else:
        response = error(
            401,
            "no_credentials",
            f"Sign in, or send a token with the scope {scope.value}: Authorization: Bearer bgj_… "
            "(manage.py monitoring_token create).",
        )
    response.headers["WWW-Authenticate"] = challenge
    return response
