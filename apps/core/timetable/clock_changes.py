"""What the crontabs of a timetable would skip and repeat if they were in the local time of some zones."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from ..schedules.daylight import LAST_YEAR, Disturbance, in_words, transitions, upcoming
from ..schedules.timetable import Timetable
from .words import counted, shown


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneChanges:
    zone: str
    changes: int  # of its clocks, until LAST_YEAR
    entries: tuple[tuple[str, tuple[Disturbance, ...]], ...]  # those that would be disturbed, by name


def changes_in(zone: str, timetable: Timetable) -> ZoneChanges:
    """From the moment of `timetable.at` on. Raises DeclarationError for an unknown zone."""
    at = timetable.at
    changes = transitions(zone, first=at.year, last=max(at.year, LAST_YEAR))
    crontabs = [(line.name, line.cron) for line in timetable.lines if line.cron is not None]
    found = ((name, upcoming(cron, zone, at)) for name, cron in crontabs)
    return ZoneChanges(
        zone=zone,
        changes=sum(change.at >= at for change in changes),
        entries=tuple((name, disturbed) for name, disturbed in found if disturbed),
    )


def as_text(zones: Iterable[ZoneChanges]) -> RenderableType:
    parts: list[RenderableType] = [
        Text("If the crontabs were in the local time of these zones (intervals count in UTC):", "bold")
    ]
    for zone in zones:
        parts.append(Text(f"{zone.zone}: {_counted(zone)}"))
        for name, disturbed in zone.entries:
            parts.append(Padding(Text(f"{shown(name)} {in_words(disturbed)}"), (0, 0, 0, 2)))
    if len(parts) == 1:
        parts.append(Text("There are no zones."))
    return Group(*parts, Text())


def as_facts(zones: Iterable[ZoneChanges]) -> list[dict[str, Any]]:
    """For machines: an item for each zone, entry and change of clocks."""
    return [
        {
            "zone": zone.zone,
            "entry": name,
            "at": each.transition.at.isoformat(),
            "skipped": [local.isoformat() for local in each.skipped],
            "repeated": [local.isoformat() for local in each.repeated],
        }
        for zone in zones
        for name, disturbed in zone.entries
        for each in disturbed
    ]


def _counted(zone: ZoneChanges) -> str:
    if not zone.changes:
        return "its clocks never change"
    until = f"{counted(zone.changes, 'change')} of its clocks until {LAST_YEAR}"
    return until if zone.entries else f"{until}, none at the time of an entry"
