"""Instants as people at a site read them."""

from datetime import datetime
from zoneinfo import ZoneInfo


def in_zone(instant: datetime, zone: ZoneInfo) -> str:
    """`instant` as local time with the zone's name: "Mon 23 Nov 2026 14:30 (Asia/Kolkata)"."""
    return f"{instant.astimezone(zone):%a %d %b %Y %H:%M} ({zone.key})"
