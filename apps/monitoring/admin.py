"""The pages of the jobs in Django's admin: everything under /admin/monitoring/celery/."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import URLPattern, path

from .models import Celery
from .tokens.admin import MonitoringTokenAdmin

__all__ = ["CeleryAdmin", "MonitoringTokenAdmin"]

if TYPE_CHECKING:  # at run time Django's admin classes take no parameters
    CeleryModelAdmin = admin.ModelAdmin[Celery]
else:
    CeleryModelAdmin = admin.ModelAdmin


@admin.register(Celery)
class CeleryAdmin(CeleryModelAdmin):
    """No list of rows: its addresses are those of the pages."""

    def get_urls(self) -> list[URLPattern]:
        from .urls import PAGES, url_name  # they need the models of all apps

        return [path(page.route, page.view, name=url_name(page.name)) for page in PAGES]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
