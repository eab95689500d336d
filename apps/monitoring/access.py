"""Who may see the pages, and who may do what on them."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.csrf import csrf_protect

from apps.core.actions import ACTIONS

from .emergency_pass import EmergencyPass
from .security import guarded

VIEW: Final = "monitoring.view_celery"

View = Callable[..., HttpResponseBase]


def emergency_pass(request: HttpRequest) -> EmergencyPass | None:
    """What the visitor came in with while the database is down; None in normal times."""
    return getattr(request, "emergency_pass", None)


def is_emergency(request: HttpRequest) -> bool:
    """Whether the database is down, so that nobody can be asked to sign in."""
    return hasattr(request, "emergency_pass")


def is_staff(request: HttpRequest) -> bool:
    """Whether somebody is signed in who may use the admin at all."""
    user = getattr(request, "user", None)
    return bool(user and user.is_active and user.is_staff)


def may_look(request: HttpRequest) -> bool:
    """Whether the visitor may see the pages and what they are made of."""
    return emergency_pass(request) is not None or (is_staff(request) and request.user.has_perm(VIEW))


def may_do(request: HttpRequest, action: str) -> bool:
    """Whether the visitor may do this one of ACTIONS. While the database is down, nobody."""
    return is_staff(request) and request.user.has_perm(f"bgjobs.{ACTIONS[action].permission}")


def page(view: View) -> View:
    """A page that people see: who is not signed in is asked to, who may not look is told so."""

    @wraps(view)
    @csrf_protect
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if may_look(request):
            return guarded(view(request, *args, **kwargs))
        if is_emergency(request):
            return no_database(request)
        if not is_staff(request):
            return guarded(redirect_to_login(request.get_full_path(), reverse("admin:login")))
        return forbidden(request, "see the background jobs", VIEW)

    return checked


def no_database(request: HttpRequest) -> HttpResponseBase:
    """The page that says why there is no other."""
    context = {"title": "The database cannot be reached"}
    return guarded(render(request, "monitoring/no_database.html", context, status=503))


def forbidden(request: HttpRequest, what: str, permission: str) -> HttpResponseBase:
    """The page that says which permission is missing."""
    context = {"title": "Not for you", "what": what, "permission": permission}
    return guarded(render(request, "monitoring/forbidden.html", context, status=403))
