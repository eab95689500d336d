"""Who has to do planned work, and what that work may be about."""

from typing import TYPE_CHECKING, Final

from django.core.exceptions import ValidationError
from django.db.models import Q

from apps.organization.models import Group, Person, Site

if TYPE_CHECKING:
    from .job import Job
    from .jobneed import JobNeed

ONE_ASSIGNEE: Final = Q(assignee_person=None, assignee_group__isnull=False) | Q(
    assignee_person__isnull=False, assignee_group=None
)


def require_one_assignee(work: "Job | JobNeed") -> None:
    """Raises ValidationError unless exactly one of person and group is named."""
    if (work.assignee_person is None) == (work.assignee_group is None):
        raise ValidationError("Assign it to a person or to a group: one of the two.")


def belongs_to_site(work: "Job | JobNeed", site: Site) -> None:
    """Raises ValidationError where the asset is not on the site or the assignee is another tenant's."""
    if work.asset is not None and work.asset.site_id != site.pk:
        raise ValidationError({"asset": "It is on another site."})
    for field in ("assignee_person", "assignee_group"):
        assignee: Person | Group | None = getattr(work, field)
        if assignee is not None and assignee.tenant_id != site.tenant_id:
            raise ValidationError({field: "The assignee belongs to another tenant."})
