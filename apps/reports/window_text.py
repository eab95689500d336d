"""A report's window as its readers say it."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from .models import GeneratedReport

MIDNIGHT = time()


def window_text(report: GeneratedReport) -> str:
    """The window in the schedule's zone, with the zone's name. Needs the schedule.

    "Mon 23 Nov 2026 (Asia/Kolkata)" where it is that whole day, "Mon 23 Nov 2026 to Fri 27 Nov 2026 (…)" where it is
    whole days, the last one included; else "Mon 23 Nov 2026 08:00 to Mon 23 Nov 2026 20:00 (…)".
    """
    zone = ZoneInfo(report.schedule.timezone)
    first, end = report.window_from.astimezone(zone), report.window_until.astimezone(zone)
    if first.time() == end.time() == MIDNIGHT and first.date() < end.date():
        last = end.date() - timedelta(days=1)
        days = f"{first:%a %d %b %Y}" + (f" to {last:%a %d %b %Y}" if first.date() < last else "")
        return f"{days} ({zone.key})"
    return f"{first:%a %d %b %Y %H:%M} to {end:%a %d %b %Y %H:%M} ({zone.key})"
