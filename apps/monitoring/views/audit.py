"""Who did what to which target, when and why, and what came of it."""

from typing import Any, Final

from django import forms
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from apps.core.actions import ACTIONS
from apps.core.actions.models import OperatorAction

from ..access import page
from .base import show

ON_A_PAGE: Final = 50
NAMES: Final = [("", "any"), *((name, name) for name in sorted(ACTIONS))]
RESULTS: Final = [("", "any"), *OperatorAction.Result.choices]


class MomentField(forms.DateTimeField):
    """In UTC."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class AuditForm(forms.Form):
    actor = forms.CharField(required=False, max_length=200, widget=forms.TextInput(attrs={"type": "search"}))
    action = forms.ChoiceField(required=False, choices=NAMES)
    target = forms.CharField(required=False, max_length=200)
    result = forms.ChoiceField(required=False, choices=RESULTS)
    since = MomentField(required=False, label="Since (UTC)")
    until = MomentField(required=False, label="Until (UTC)")
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1, widget=forms.HiddenInput)


LOOK_UPS: Final = {
    "actor": "actor__icontains",
    "action": "action",
    "target": "target__icontains",
    "result": "result",
    "since": "at__gte",
    "until": "at__lt",
    "before": "pk__lt",
}


@require_safe
@page
def audit(request: HttpRequest) -> HttpResponse:
    form = AuditForm(request.GET)
    rows = list(_rows(form.cleaned_data)[: ON_A_PAGE + 1]) if form.is_valid() else []
    return show(
        request,
        "monitoring/audit.html",
        title="Audit",
        place="audit",
        form=form,
        rows=rows[:ON_A_PAGE],
        older=_older(request, rows) if len(rows) > ON_A_PAGE else "",
        is_filtered=any(form.cleaned_data.values()),
        status=200 if form.is_valid() else 400,
    )


def _rows(asked: dict[str, Any]) -> QuerySet[OperatorAction]:
    """The latest first."""
    given = {look_up: asked[name] for name, look_up in LOOK_UPS.items() if asked[name]}
    return OperatorAction.objects.filter(**given).order_by("-pk")


def _older(request: HttpRequest, rows: list[OperatorAction]) -> str:
    """The query of the page with what came before these."""
    given = {name: str(value) for name, value in request.GET.items() if name in LOOK_UPS and value}
    return urlencode(given | {"before": str(rows[ON_A_PAGE - 1].pk)})
