"""Tokens in the admin, to be seen: they are made on the command line, which shows a secret once."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest

from .models import MonitoringToken

if TYPE_CHECKING:  # at run time Django's admin classes take no parameters
    TokenModelAdmin = admin.ModelAdmin[MonitoringToken]
else:
    TokenModelAdmin = admin.ModelAdmin


@admin.register(MonitoringToken)
class MonitoringTokenAdmin(TokenModelAdmin):
    """Without the digests, which say nothing to people."""

    fields = ("name", "scopes", "created_at", "made_at", "expires_at", "former_until", "last_used_at", "revoked_at")
    readonly_fields = fields
    list_display = fields
    search_fields = ("name",)
    ordering = ("name", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
