"""`manage.py seed_demo`: a believable company in an empty database."""

import sys
from argparse import ArgumentParser
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from rich.progress import track

from apps.core.commands.instants import instant
from apps.helpdesk.models import Ticket
from apps.operations.models import JobNeed
from apps.organization.models import Site, Tenant
from intelliwiz_config.demo import SITES_PER_TENANT, make_company


class Command(BaseCommand):
    help = "Make a demonstration company: sites in six time zones, 90 days of work, overdue work and due tickets."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenants", type=int, default=3, help="How many tenants (default 3).")
        parser.add_argument("--scale", type=int, default=1, help="How many times the size of scale 1 (default 1).")
        parser.add_argument("--seed", type=int, default=1, help="Equal seeds make equal data (default 1).")
        parser.add_argument("--now", help="The instant up to which there is history, ISO 8601 with its offset.")

    def handle(self, *, tenants: int, scale: int, seed: int, now: str | None, **_: Any) -> None:
        if tenants < 1 or scale < 1:
            raise CommandError("--tenants and --scale must be 1 or more.")
        until = instant("--now", now)
        with transaction.atomic():  # all of it or nothing
            if Tenant.objects.exists():
                raise CommandError("There is data already: seed_demo needs an empty database.")
            sites = make_company(tenants=tenants, scale=scale, seed=seed, now=until)
            for _site in self._shown(sites, tenants * SITES_PER_TENANT * scale):
                pass
        self._report(until)

    def _shown(self, sites: Iterable[Site], total: int) -> Iterable[Site]:
        """With a progress bar where somebody watches."""
        if self.stdout.isatty() and sys.stdout.isatty():
            return track(sites, total=total, description="Sites")
        return sites

    def _report(self, now: datetime) -> None:
        overdue = JobNeed.objects.filter(parent=None, status__in=JobNeed.OPEN, expires_at__lte=now)
        self.stdout.write(
            f"Made {Tenant.objects.count()} tenants, {Site.objects.count()} sites, {JobNeed.objects.count()} "
            f"occurrences ({overdue.count()} overdue) and {Ticket.objects.count()} tickets."
        )
