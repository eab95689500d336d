"""What the helpdesk records."""

from .escalation_rule import EscalationRule
from .sla_policy import SlaPolicy
from .ticket import Ticket, TicketCounter
from .ticket_history import TicketHistory

__all__ = ["EscalationRule", "SlaPolicy", "Ticket", "TicketCounter", "TicketHistory"]
