"""The admin of tenants' rows: people see, find and choose only what belongs to their own tenant."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.options import BaseModelAdmin
from django.contrib.admin.utils import get_fields_from_path
from django.db.models import ForeignKey, ManyToManyField, Model, QuerySet
from django.forms import ModelChoiceField, ModelMultipleChoiceField
from django.http import HttpRequest

from .tenancy import visible

if TYPE_CHECKING:  # at run time Django's admin classes take no parameters
    AnyAdmin = BaseModelAdmin[Any]
    AnyModelAdmin = admin.ModelAdmin[Any]
    AnyInline = admin.TabularInline[Any, Any]
else:
    AnyAdmin, AnyModelAdmin, AnyInline = BaseModelAdmin, admin.ModelAdmin, admin.TabularInline


class TenantScoped(AnyAdmin):
    """What a ModelAdmin and an inline have in common. `tenant_path` leads from a row to its tenant."""

    tenant_path = "tenant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible(super().get_queryset(request), request.user, self.tenant_path)

    def formfield_for_foreignkey(
        self, db_field: "ForeignKey[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelChoiceField[Any] | None":
        kwargs |= self._choices(db_field.remote_field.model, request)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self, db_field: "ManyToManyField[Any, Any]", request: HttpRequest, **kwargs: Any
    ) -> "ModelMultipleChoiceField[Any] | None":
        kwargs |= self._choices(db_field.remote_field.model, request)
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def _choices(self, related: type[Model], request: HttpRequest) -> dict[str, QuerySet[Any]]:
        """What the related model's own admin shows this user can be picked, and no more."""
        if self.admin_site.is_registered(related):
            related_admin = self.admin_site.get_model_admin(related)
            if isinstance(related_admin, TenantScoped):
                return {"queryset": related_admin.get_queryset(request)}
        return {}


class TenantAdmin(TenantScoped, AnyModelAdmin):
    """A ModelAdmin whose rows hang off a tenant by `tenant_path`, a lookup such as "site__tenant"."""

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """Filters by a related row offer only rows that occur in the list: others' names are not shown."""
        return [
            (item, admin.RelatedOnlyFieldListFilter) if self._is_relation(item) else item
            for item in super().get_list_filter(request)
        ]

    def _is_relation(self, list_filter: Any) -> bool:
        return isinstance(list_filter, str) and get_fields_from_path(self.model, list_filter)[-1].is_relation


class TenantInline(TenantScoped, AnyInline):
    """Rows that are edited on their parent's page."""

    extra = 0
