"""What a report's file is called where people meet it: made from parts of our own, never from what somebody typed."""

import re
from typing import Final
from zoneinfo import ZoneInfo

from .models import Format, GeneratedReport

CONTENT_TYPES: Final = {
    Format.PDF: "application/pdf",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.CSV: "text/csv",
    Format.HTML: "text/html",
    Format.JSON: "application/json",
}


def file_name(report: GeneratedReport) -> str:
    """ "ticket-sla-2026-11-22-4711.pdf": type, first local day of the window, id. Needs the schedule."""
    first_day = report.window_from.astimezone(ZoneInfo(report.schedule.timezone))
    kind = re.sub(r"[^a-z0-9]+", "-", report.schedule.type.lower()).strip("-") or "report"
    return f"{kind}-{first_day:%Y-%m-%d}-{report.pk}.{Format(report.format).lower()}"


def content_type(report: GeneratedReport) -> str:
    return CONTENT_TYPES[Format(report.format)]
