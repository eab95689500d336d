"""Doing something, in two steps: a page that says what would happen and asks for a reason, and the deed."""

import uuid
from http import HTTPStatus

import redis
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods

from apps.core.actions import Actor
from apps.core.actions.models import OperatorAction
from apps.core.logs import redact
from apps.core.operating.errors import OperatingError, RefusedError
from apps.core.queues import nearest

from .. import access, looking
from ..access import page
from ..broker_trouble import broker_trouble
from ..offers import OFFERS, Ask, Offer, Outcome, ReasonForm, Target
from .base import nothing, show


@require_http_methods(["GET", "HEAD", "POST"])
@page
def action(request: HttpRequest, name: str) -> HttpResponseBase:
    offer = OFFERS.get(name)
    if offer is None:
        return nothing(request, f"There is no action {name!r}; {nearest(name, OFFERS)}")
    if not access.may_do(request, offer.action):
        return access.forbidden(request, offer.words, offer.permission)
    if request.method == "POST":
        return _act(request, offer, Target.of(request.POST, offer.takes))
    target = Target.of(request.GET, offer.takes)
    form = offer.form(initial={"request_id": uuid.uuid4()} | offer.initial(target))
    return _ask(request, offer, target, form, HTTPStatus.OK)


def _ask(request: HttpRequest, offer: Offer, target: Target, form: ReasonForm, status: HTTPStatus) -> HttpResponse:
    """The first step, and the second once more where something was wrong with it."""
    trouble = broker_trouble() if offer.needs_broker else ""
    preview, refusal = None, ""
    try:
        preview = None if trouble else offer.preview(target)
    except OperatingError as error:
        refusal = str(error)
    except redis.RedisError as error:
        trouble = f"the broker does not answer ({redact(f'{type(error).__name__}: {error}')})"
    if status == HTTPStatus.OK and (trouble or refusal):
        status = HTTPStatus.SERVICE_UNAVAILABLE if trouble else HTTPStatus.CONFLICT
    return show(
        request,
        "monitoring/confirm.html",
        title=offer.title,
        status=status,
        offer=offer,
        target=target,
        form=form,
        preview=preview,
        refusal=refusal,
        broker_trouble=trouble,
        back=_back(request),
    )


def _act(request: HttpRequest, offer: Offer, target: Target) -> HttpResponseBase:
    form = offer.form(request.POST)
    if not form.is_valid():
        return _ask(request, offer, target, form, HTTPStatus.BAD_REQUEST)
    actor, fields = Actor.of(request.user), form.cleaned_data
    ask = Ask(target=target, fields=fields, actor=actor, reason=fields["reason"], request_id=fields["request_id"])
    try:
        outcome = offer.act(ask)
    except PermissionDenied as error:
        form.add_error(None, str(error))
        return _ask(request, offer, target, form, HTTPStatus.FORBIDDEN)
    except ValidationError as error:
        form.add_error(None, error)
        return _ask(request, offer, target, form, HTTPStatus.BAD_REQUEST)
    except RefusedError as error:
        form.add_error(None, str(error))
        return _ask(request, offer, target, form, HTTPStatus.CONFLICT)
    except (OperatingError, redis.RedisError) as error:
        form.add_error(None, redact(str(error)))
        return _ask(request, offer, target, form, HTTPStatus.SERVICE_UNAVAILABLE)
    looking.forget()
    return _tell(request, offer, outcome)


def _tell(request: HttpRequest, offer: Offer, outcome: Outcome) -> HttpResponseBase:
    row, back = outcome.row, _back(request)
    if outcome.template:
        return show(request, outcome.template, title=offer.title, done=row, back=back, **outcome.context)
    tell = messages.success if row.result == OperatorAction.Result.DONE else messages.warning
    tell(request, row.detail or f"{offer.title}: {row.get_result_display()}.")
    return HttpResponseRedirect(f"{back}{'&' if '?' in back else '?'}done={row.pk}")


def _back(request: HttpRequest) -> str:
    """The page that the operator came from, if it is one of ours; else the overview."""
    asked = request.POST.get("back", "") if request.method == "POST" else request.GET.get("back", "")
    overview = reverse("admin:monitoring_celery_changelist")
    is_ours = asked.startswith(overview) and "#" not in asked and url_has_allowed_host_and_scheme(asked, None)
    return asked if is_ours else overview
