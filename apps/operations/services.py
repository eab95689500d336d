"""What operations does for others: the front page of this app."""

from .auto_close import ExpiryNotice, auto_close
from .expiry_mail import job_expiry_mail
from .performance import Performance, PerformedTooLateError, record_performance
from .transitions import IllegalTransition

__all__ = [
    "ExpiryNotice",
    "IllegalTransition",
    "Performance",
    "PerformedTooLateError",
    "auto_close",
    "job_expiry_mail",
    "record_performance",
]
