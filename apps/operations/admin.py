"""The admin of templates and their occurrences. A status is changed by the jobs and the people on site, not here."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.organization.tenant_admin import TenantAdmin, TenantInline

from .models import ChecklistItem, Job, JobNeed, Reminder


class ReadOnlyInline(TenantInline):
    """Rows to read: each that can be changed has a page of its own."""

    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class StopInline(ReadOnlyInline):
    """The checkpoints of a tour's template."""

    model = Job
    tenant_path = "site__tenant"
    verbose_name_plural = "checkpoints"
    fields = ("seqno", "name", "plan_minutes", "asset", "assignee_person", "assignee_group", "enabled")
    ordering = ("seqno", "pk")
    show_change_link = True


@admin.register(Job)
class JobAdmin(TenantAdmin):
    tenant_path = "site__tenant"
    list_display = ("name", "site", "kind", "cron", "priority", "on_expiry", "enabled")
    list_filter = ("kind", "on_expiry", "priority", "enabled", "site", "site__tenant")
    list_select_related = ("site",)
    search_fields = ("name", "site__code", "site__name")
    autocomplete_fields = ("site", "asset", "parent", "assignee_person", "assignee_group")
    readonly_fields = ("last_generated_until",)
    inlines = (StopInline,)


class ChecklistInline(TenantInline):
    model = ChecklistItem
    tenant_path = "jobneed__site__tenant"


class CheckpointInline(ReadOnlyInline):
    """The checkpoints of a tour."""

    model = JobNeed
    tenant_path = "site__tenant"
    verbose_name_plural = "checkpoints"
    fields = ("job", "planned_at", "expires_at", "status", "performed_at")
    ordering = ("planned_at", "pk")
    show_change_link = True


class ReminderInline(ReadOnlyInline):
    model = Reminder
    tenant_path = "jobneed__site__tenant"
    fields = ("remind_at", "status", "attempts", "sent_at")


@admin.register(JobNeed)
class JobNeedAdmin(TenantAdmin):
    tenant_path = "site__tenant"
    list_display = ("job", "site", "planned_at", "expires_at", "status", "closed_by_server", "assignee")
    list_filter = ("status", "job__kind", "closed_by_server", "job__on_expiry", "site", "site__tenant")
    list_select_related = ("job", "site", "assignee_person", "assignee_group")
    search_fields = ("job__name", "site__code", "site__name")
    date_hierarchy = "planned_at"
    autocomplete_fields = ("job", "parent", "site", "asset", "assignee_person", "assignee_group")
    readonly_fields = ("status", "performed_at", "closed_by_server")
    inlines = (ChecklistInline, CheckpointInline, ReminderInline)
    show_full_result_count = False

    @admin.display(description="assigned to")
    def assignee(self, jobneed: JobNeed) -> str:
        return str(jobneed.assignee_person or jobneed.assignee_group)

    def save_model(self, request: HttpRequest, obj: JobNeed, form: Any, change: bool) -> None:
        if not change:
            obj.added_by_hand = True
        super().save_model(request, obj, form, change)


@admin.register(Reminder)
class ReminderAdmin(TenantAdmin):
    """Reminders to read: they come and go with their occurrences."""

    tenant_path = "jobneed__site__tenant"
    list_display = ("jobneed", "remind_at", "status", "attempts", "sent_at")
    list_filter = ("status", "jobneed__job__kind", "jobneed__site", "jobneed__site__tenant")
    list_select_related = ("jobneed__job",)
    search_fields = ("jobneed__job__name", "jobneed__site__code")
    date_hierarchy = "remind_at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Reminder | None = None) -> bool:
        """Not on pages of its own; asked elsewhere, it is about an occurrence that takes its reminders with it."""
        page = request.resolver_match
        is_own_page = page is not None and (page.url_name or "").startswith("operations_reminder_")
        return not is_own_page and super().has_delete_permission(request, obj)
