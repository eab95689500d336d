"""Raising a ticket without knowing who keeps tickets: the setting OPERATIONS_TICKET_RAISER names the function."""

from datetime import datetime
from typing import Any, Protocol, cast

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string


class RaisedTicket(Protocol):
    """What must be known of a ticket to tell people of it."""

    @property
    def number(self) -> str: ...
    @property
    def next_escalation(self) -> datetime | None:
        """When it goes to the next level unless somebody deals with it; None where no rule says so."""


class TicketRaiser(Protocol):
    """Writes a SYSTEM ticket within the caller's transaction."""

    def __call__(
        self,
        *,
        tenant_id: int,
        site_id: int,
        asset_id: int | None,
        category: str,
        priority: str,
        description: str,
        assignee_person_id: int | None,
        assignee_group_id: int | None,
        now: datetime,
    ) -> RaisedTicket: ...


def ticket_raiser() -> TicketRaiser:
    """The function in use. Raises ImportError where the setting names none."""
    return cast(TicketRaiser, import_string(settings.OPERATIONS_TICKET_RAISER))


def check_ticket_raiser(**_: Any) -> list[CheckMessage]:
    """System check operations.E001: OPERATIONS_TICKET_RAISER is the path of a function."""
    path: Any = getattr(settings, "OPERATIONS_TICKET_RAISER", None)
    try:
        found = callable(import_string(path))
    except (ImportError, AttributeError, TypeError):
        found = False
    if found:
        return []
    return [
        Error(
            f"OPERATIONS_TICKET_RAISER is {path!r}, which is no function.",
            hint="Set it to the dotted path of a function like apps.helpdesk.services.raise_system_ticket.",
            id="operations.E001",
        )
    ]
