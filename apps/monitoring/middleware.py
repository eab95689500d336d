"""The pages while PostgreSQL is down: no session, no user, and yet an answer."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve, reverse

from apps.core.logs import get_logger

from . import emergency_pass
from .access import is_staff, may_look, no_database
from .database_reach import database_answers, database_left_alone
from .emergency_pass import EmergencyPass
from .security import guarded

log = get_logger(__name__)

METHODS: Final = ("GET", "HEAD")


def without_database(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Django middleware, before that of sessions: gives and takes emergency passes, and answers if nobody can.

    It concerns the app's own addresses alone; other requests pass through.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        own = request.path.startswith(reverse("admin:monitoring_celery_changelist"))
        if own and not database_answers():
            return in_emergency(request)
        response = get_response(request)
        if own:
            guarded(response)  # what Django itself answers, too
        if getattr(request, "bgjobs_logged_out", False):
            emergency_pass.take_away(response)
        elif own and is_staff(request) and may_look(request) and request.session.session_key:
            EmergencyPass.of(request).give(response)
        return response

    return middleware


def in_emergency(request: HttpRequest) -> HttpResponseBase:
    """What there is without the database: the pages that can do without, to read, and for others why not."""
    from .urls import PAGES, url_name

    request.get_host()  # it comes before the middleware that would have refused an unknown host
    shown = request.emergency_pass = EmergencyPass.shown_by(request)  # type: ignore[attr-defined]
    log.warning("database.unreachable", path=request.path, user_id=shown.user_id if shown else None)
    try:
        match = resolve(request.path_info)
    except Resolver404:
        match = None
    page = next((page for page in PAGES if match and match.url_name == url_name(page.name)), None)
    if match is None or page is None or not page.without_database or request.method not in METHODS:
        return no_database(request)
    with database_left_alone():
        return page.view(request, *match.args, **match.kwargs)
