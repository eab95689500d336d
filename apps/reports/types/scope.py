"""What one report is about: whose rows, of which time, and how it was asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from apps.organization.local_time import in_zone
from apps.reports.windows import Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    title: str  # the schedule's name
    type_name: str
    tenant_id: int
    tenant_name: str
    site_id: int | None  # None: all sites of the tenant
    site_name: str
    window: Window
    window_zone: ZoneInfo  # the schedule's, in which the window begins and ends
    zone: ZoneInfo  # in which moments are shown: the site's; of all sites the schedule's
    parameters: Mapping[str, Any]  # as entered
    made_at: datetime
    skipped: int = 0  # windows before this one that are not reported

    @property
    def at_sites(self) -> dict[str, int]:
        """The condition on rows that have a site; every query of a type carries it."""
        of_tenant = {"site__tenant_id": self.tenant_id}
        return of_tenant if self.site_id is None else {**of_tenant, "site_id": self.site_id}

    @property
    def in_window(self) -> tuple[datetime, datetime]:
        return self.window.start, self.window.end

    def facts(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """What stands below the title."""
        said = [
            ("Company", self.tenant_name),
            ("Site", self.site_name),
            ("From", in_zone(self.window.start, self.window_zone)),
            ("Until", in_zone(self.window.end, self.window_zone)),
            ("Made", in_zone(self.made_at, self.zone)),
            *more,
        ]
        if self.skipped:
            said.append(("Not reported", f"{self.skipped} earlier windows, which passed while no reports were made"))
        return tuple(said)
