"""What operations does for others: the front page of this app."""

from .auto_close import ExpiryNotice, auto_close
from .expiry_mail import job_expiry_mail
from .performance import Performance, PerformedTooLateError, record_performance
from .planning import PlanningOutcome, plan_other_work, plan_ppm
from .reminders import send_reminders
from .transitions import IllegalTransition

__all__ = [
    "ExpiryNotice",
    "IllegalTransition",
    "Performance",
    "PerformedTooLateError",
    "PlanningOutcome",
    "auto_close",
    "job_expiry_mail",
    "plan_other_work",
    "plan_ppm",
    "record_performance",
    "send_reminders",
]
