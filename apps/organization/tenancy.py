"""Which tenant's rows a signed-in user may see."""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

RowT = TypeVar("RowT", bound=Model)


def tenant_of(user: Any) -> int | None:
    """The id of the tenant that `user` belongs to by way of an active Person; None without one.

    Costs one query per user object: Django remembers the answer, also that there is no Person.
    """
    person = getattr(user, "person", None)
    return person.tenant_id if person is not None and person.is_active else None


def visible(rows: QuerySet[RowT], user: Any, tenant_path: str) -> QuerySet[RowT]:
    """Those of `rows` that `user` may see; `tenant_path` is the lookup from a row to its tenant.

    A person sees the own tenant's rows, a superuser without a Person all rows, anybody else none.
    """
    tenant_id = tenant_of(user)
    if tenant_id is not None:
        return rows.filter(**{tenant_path: tenant_id})
    return rows if getattr(user, "is_superuser", False) else rows.none()
