"""The time zones in which the company works."""

from .models import Site


def zones_of_sites() -> set[str]:
    """The IANA names of the time zones of all tenants' sites."""
    return set(Site.objects.order_by().values_list("timezone", flat=True).distinct())
