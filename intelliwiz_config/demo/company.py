"""The whole company, site by site, so that memory does not grow with its size."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Final

from apps.organization.models import Site

from . import helpdesk, media, operations, organization, reports

SITES_PER_TENANT: Final = 6  # at scale 1


def make_company(*, tenants: int, scale: int, seed: int, now: datetime) -> Iterator[Site]:
    """Make `tenants` tenants of SITES_PER_TENANT * `scale` sites each; yields each site when it is complete.

    At scale 1 a site has about 120 occurrences, of which 5 are overdue, 28 tickets, of which 4 are due, and 6 media
    files, of which 3 go to the archive. The tenants share 35 reports. Needs a transaction around it and a database
    without tenants.
    """
    for number in range(tenants):
        tenant, admins = organization.make_tenant(number, Random(f"{seed}/{number}"))
        helpdesk.make_agreements(tenant, admins)
        for position in range(SITES_PER_TENANT * scale):
            chance = Random(f"{seed}/{number}/{position}")
            place = organization.make_place(tenant, position, chance)
            operations.make_work(place, now, chance)
            helpdesk.make_tickets(place, now, chance)
            media.make_media(place.site, now, chance)
            if position == 0:
                reports.make_schedules(tenant, place.site, number, tenants, now)
            yield place.site
