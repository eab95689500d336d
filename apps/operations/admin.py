"""The admin of templates and their occurrences. A status is changed by the jobs and the people on site, not here."""

from django.contrib import admin

from apps.organization.tenant_admin import TenantAdmin, TenantInline

from .models import ChecklistItem, Job, JobNeed


@admin.register(Job)
class JobAdmin(TenantAdmin):
    tenant_path = "site__tenant"
    list_display = ("name", "site", "kind", "cron", "priority", "on_expiry", "enabled")
    list_filter = ("site__tenant", "kind", "on_expiry", "priority", "enabled")
    list_select_related = ("site",)
    search_fields = ("name", "site__code", "site__name")
    autocomplete_fields = ("site", "asset", "parent", "assignee_person", "assignee_group")
    readonly_fields = ("last_generated_until",)


class ChecklistInline(TenantInline):
    model = ChecklistItem
    tenant_path = "jobneed__site__tenant"


class CheckpointInline(TenantInline):
    """The checkpoints of a tour, to read: each has a page of its own."""

    model = JobNeed
    tenant_path = "site__tenant"
    verbose_name_plural = "checkpoints"
    fields = ("job", "planned_at", "expires_at", "status", "performed_at")
    readonly_fields = fields
    can_delete = False
    show_change_link = True
    max_num = 0


@admin.register(JobNeed)
class JobNeedAdmin(TenantAdmin):
    tenant_path = "site__tenant"
    list_display = ("job", "site", "planned_at", "expires_at", "status", "closed_by_server", "assignee")
    list_filter = ("status", "closed_by_server", "job__on_expiry", "job__kind", "site__tenant")
    list_select_related = ("job", "site", "assignee_person", "assignee_group")
    search_fields = ("job__name", "site__code", "site__name")
    date_hierarchy = "planned_at"
    autocomplete_fields = ("job", "parent", "site", "asset", "assignee_person", "assignee_group")
    readonly_fields = ("status", "performed_at", "closed_by_server")
    inlines = (ChecklistInline, CheckpointInline)
    show_full_result_count = False

    @admin.display(description="assigned to")
    def assignee(self, jobneed: JobNeed) -> str:
        return str(jobneed.assignee_person or jobneed.assignee_group)
