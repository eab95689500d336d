"""The types of reports: each a function that asks the database what its scope says, and returns a Content.

A Content reads its rows when they are written, so it is used in the transaction in which it was made.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from apps.reports.content import Content
from apps.reports.models import ReportSchedule

from .asset_status import asset_status
from .parameters import BadReportError
from .ppm_summary import ppm_summary
from .scope import Scope
from .site_visit import site_visit
from .task_summary import task_summary
from .ticket_list import ticket_list
from .ticket_sla import ticket_sla
from .tour_summary import tour_summary

__all__ = ["TYPES", "BadReportError", "Scope", "content_of"]

Type = ReportSchedule.Type

TYPES: Final[Mapping[str, Callable[[Scope], Content]]] = MappingProxyType(
    {
        Type.TASK_SUMMARY: task_summary,
        Type.TOUR_SUMMARY: tour_summary,
        Type.PPM_SUMMARY: ppm_summary,
        Type.TICKET_LIST: ticket_list,
        Type.TICKET_SLA: ticket_sla,
        Type.ASSET_STATUS: asset_status,
        Type.SITE_VISIT: site_visit,
    }
)


def content_of(type_: str, scope: Scope) -> Content:
    """What a report of this type says about the scope. Raises BadReportError."""
    if type_ not in TYPES:
        raise BadReportError(f"There is no type of report {type_[:16]!r}; there are {', '.join(TYPES)}.")
    return TYPES[type_](scope)
