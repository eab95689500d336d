"""The admin of tenants and what belongs to them."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group as PermissionGroup
from django.contrib.auth.models import User
from django.http import HttpRequest

from .models import Asset, Group, Holiday, Person, Site, Tenant
from .tenant_admin import TenantAdmin, TenantScoped

admin.site.unregister(User)
admin.site.unregister(PermissionGroup)


@admin.register(User)
class LoginAdmin(TenantScoped, UserAdmin):  # type: ignore[type-arg]
    """Logins. Superusers keep them: who may edit a login could make it a superuser's."""

    tenant_path = "person__tenant"
    list_display = ("username", "person", "is_active", "is_staff", "is_superuser", "last_login")
    list_select_related = ("person",)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    has_add_permission = has_module_permission
    has_change_permission = has_view_permission
    has_delete_permission = has_view_permission


@admin.register(Tenant)
class TenantsAdmin(TenantAdmin):
    tenant_path = "pk"
    list_display = ("slug", "name", "is_active")
    list_filter = ("is_active",)
    search_fields = ("slug", "name")


@admin.register(Site)
class SiteAdmin(TenantAdmin):
    list_display = ("code", "name", "timezone", "in_charge", "tenant")
    list_filter = ("tenant", "timezone")
    list_select_related = ("tenant",)
    search_fields = ("code", "name")


@admin.register(Person)
class PersonAdmin(TenantAdmin):
    list_display = ("name", "email", "is_active", "is_tenant_admin", "tenant")
    list_filter = ("tenant", "is_active", "is_tenant_admin")
    list_select_related = ("tenant",)
    search_fields = ("name", "email")


@admin.register(Group)
class GroupAdmin(TenantAdmin):
    list_display = ("name", "tenant")
    list_filter = ("tenant",)
    list_select_related = ("tenant",)
    search_fields = ("name",)
    filter_horizontal = ("members",)


@admin.register(Holiday)
class HolidayAdmin(TenantAdmin):
    list_display = ("date", "name", "recurring", "site", "tenant")
    list_filter = ("tenant", "recurring")
    list_select_related = ("tenant", "site")
    date_hierarchy = "date"


@admin.register(Asset)
class AssetAdmin(TenantAdmin):
    tenant_path = "site__tenant"
    list_display = ("code", "name", "status", "site")
    list_filter = ("site__tenant", "status")
    list_select_related = ("site",)
    search_fields = ("code", "name")
    autocomplete_fields = ("site",)
