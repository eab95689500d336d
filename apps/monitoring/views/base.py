"""What all pages have in common: their frame."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.actions.models import OperatorAction

from .. import access
from ..broker_trouble import broker_trouble
from ..navigation import PLACES


def show(
    request: HttpRequest, template: str, *, title: str, place: str = "", status: int = 200, **context: Any
) -> HttpResponse:
    """A page in the frame: `place` is the name of the one in the navigation that it belongs to."""
    is_emergency = access.emergency_pass(request) is not None
    frame: dict[str, Any] = {"place": place, "places": PLACES, "is_emergency": is_emergency, "here": _here(request)}
    if not is_emergency:  # the admin's frame reads the database
        frame |= admin.site.each_context(request)
        frame |= {"done": _done(request), "broker_trouble": broker_trouble()}
    return render(request, template, frame | {"title": title} | context, status=status)


def nothing(request: HttpRequest, sentence: str) -> HttpResponse:
    """The page of what does not exist."""
    return show(request, "monitoring/nothing.html", title="Nothing here", status=404, sentence=sentence)


def _here(request: HttpRequest) -> str:
    """The page's address, for actions to lead back to."""
    query = request.GET.copy()
    query.pop("done", None)
    return f"{request.path}?{query.urlencode()}" if query else request.path


def _done(request: HttpRequest) -> OperatorAction | None:
    """The row of the action that led here, to be shown: who, what, why and how it ended."""
    number = request.GET.get("done", "")
    is_number = number.isascii() and number.isdigit() and len(number) < 19
    return OperatorAction.objects.filter(pk=number).first() if is_number else None
