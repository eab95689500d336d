"""The admin of tickets and of what was agreed about them. A ticket changes only by way of the services."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from apps.organization.local_time import in_zone
from apps.organization.tenant_admin import TenantAdmin, TenantInline

from . import services
from .agreement import agreement_on, next_escalation
from .models import EscalationRule, SlaPolicy, Ticket, TicketHistory
from .transitions import TRANSITIONS, Action, IllegalTransition

if TYPE_CHECKING:  # generic for the type checker only
    TicketModelForm = forms.ModelForm[Ticket]
    SlaPolicyModelForm = forms.ModelForm[SlaPolicy]
else:
    TicketModelForm = SlaPolicyModelForm = forms.ModelForm

ASSIGNEE = ("assignee_person", "assignee_group")


class TicketForm(TicketModelForm):
    def clean(self) -> dict[str, Any] | None:
        """A new ticket belongs to its site's tenant, which the rest of the validation goes by."""
        cleaned = super().clean()
        if site := self.cleaned_data.get("site"):
            self.instance.tenant_id = site.tenant_id
        return cleaned


class HistoryInline(TenantInline):
    model = TicketHistory
    tenant_path = "ticket__tenant"
    fields = ("at", "who", "action", "status", "cycle", "to_level", "to_person", "to_group", "mailed_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TicketHistory]:
        return super().get_queryset(request).select_related("to_person", "to_group")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def status_action(action: Action) -> Any:
    """An entry of the list's action menu that does `action` to each chosen ticket."""

    @admin.action(description=f"{action.label} the selected tickets", permissions=["change"])
    def run(_: "TicketAdmin", request: HttpRequest, tickets: QuerySet[Ticket]) -> None:
        done = 0
        for ticket in tickets.order_by("pk"):
            try:
                services.change_status(ticket.pk, action, who=name_of(request.user), now=timezone.now())
                done += 1
            except IllegalTransition as error:
                messages.warning(request, f"{ticket}: {error}")
        messages.success(request, f"{done} done: {action.label.lower()}.")

    run.__name__ = action.lower()
    return run


def name_of(user: Any) -> str:
    """How the history names who is signed in."""
    person = getattr(user, "person", None)
    return str(person or user.get_username())


@admin.register(Ticket)
class TicketAdmin(TenantAdmin):
    form = TicketForm
    list_display = ("number", "status", "priority", "category", "site", "level", "assignee", "created_at")
    list_filter = ("status", "priority", "source", "level", "category", "site", "tenant")
    list_select_related = ("site", *ASSIGNEE)
    search_fields = ("number", "description")
    date_hierarchy = "created_at"
    show_full_result_count = False
    autocomplete_fields = ("site", "asset", *ASSIGNEE)
    fields = ("site", "category", "priority", "description", "asset", *ASSIGNEE)
    standing = ("number", "status", "source", "creator", "created_at", "level", "cycle", "last_escalated_at")
    clock = ("counted", "next_level", "on_hold_since", "held_for")
    inlines = (HistoryInline,)
    actions = tuple(status_action(action) for action in TRANSITIONS)

    @admin.display(description="assigned to")
    def assignee(self, ticket: Ticket) -> str:
        return str(ticket.assignee_person or ticket.assignee_group or "")

    @admin.display(description="time counted to the next level")
    def counted(self, ticket: Ticket) -> str:
        agreement = agreement_on(ticket.pk)
        if agreement is None or agreement.rule_id is None:
            return "none"
        return f"{agreement.counted(timezone.now())} of {agreement.after}".replace("days,", "days")

    @admin.display(description="next escalation")
    def next_level(self, ticket: Ticket) -> str:
        due = next_escalation(ticket.pk)
        return in_zone(due, ticket.site.zone) if due else "none"

    def get_fields(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        return (*self.standing, *self.clock, *self.fields) if obj else self.fields

    def get_readonly_fields(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        return (*self.standing, *self.clock, "site") if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Ticket | None = None) -> Any:
        return self.inlines if obj else ()

    def save_model(self, request: HttpRequest, obj: Ticket, form: Any, change: bool) -> None:
        if change:
            self._save_changes(request, obj, form.changed_data)
            return
        person = getattr(request.user, "person", None)
        raised = services.raise_ticket(
            site_id=obj.site_id,
            category=obj.category,
            description=obj.description,
            priority=obj.priority,
            asset_id=obj.asset_id,
            creator_id=person.pk if person is not None and person.tenant_id == obj.tenant_id else None,
            assignee_person_id=obj.assignee_person_id,
            assignee_group_id=obj.assignee_group_id,
            who=name_of(request.user),
            now=timezone.now(),
        )
        obj.pk = raised.pk
        obj.refresh_from_db()

    def _save_changes(self, request: HttpRequest, ticket: Ticket, changed: list[str]) -> None:
        """Write the changed fields only: the ticket may have been escalated since the page was opened."""
        ticket.save(update_fields=[name for name in changed if name not in ASSIGNEE])
        if any(name in changed for name in ASSIGNEE):
            services.assign(
                ticket.pk,
                person_id=ticket.assignee_person_id,
                group_id=ticket.assignee_group_id,
                who=name_of(request.user),
                now=timezone.now(),
            )


@admin.register(EscalationRule)
class EscalationRuleAdmin(TenantAdmin):
    list_display = ("category", "level", "site", "value", "unit", "assigns", "tenant")
    list_filter = ("category", "level", "site", "tenant")
    list_select_related = ("tenant", "site", "assign_person", "assign_group")
    search_fields = ("category",)
    autocomplete_fields = ("site", "assign_person", "assign_group")

    @admin.display(description="assigns to")
    def assigns(self, rule: EscalationRule) -> str:
        return str(rule.assign_person or rule.assign_group or "unchanged")


class SlaPolicyForm(SlaPolicyModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        coerce=int,
        choices=list(
            enumerate(("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), start=1)
        ),
        widget=forms.CheckboxSelectMultiple,
        help_text="Days on which the hours begin.",
    )


@admin.register(SlaPolicy)
class SlaPolicyAdmin(TenantAdmin):
    form = SlaPolicyForm
    list_display = ("tenant", "priority", "opens_at", "closes_at", "weekdays", "skip_holidays", "is_active")
    list_filter = ("priority", "is_active", "tenant")
    list_select_related = ("tenant",)
