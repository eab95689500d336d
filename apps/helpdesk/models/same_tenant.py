"""The rule that a row refers only to what belongs to its own tenant."""

from django.core.exceptions import ValidationError

from apps.organization.models import Group, Person, Site


def require_same_tenant(tenant_id: int | None, **related: Site | Person | Group | None) -> None:
    """Raises ValidationError for each field whose object belongs to another tenant."""
    foreign = {
        field: "This belongs to another tenant."
        for field, row in related.items()
        if row is not None and row.tenant_id != tenant_id
    }
    if foreign:
        raise ValidationError(foreign)
