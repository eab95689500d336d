"""A run of send_reminders whose process is killed when the mail server has taken the mail and nothing is committed.

A script for test_reminders.py; its arguments are the mail server's port and the instant of the run.
"""

import os
import signal
import sys
from datetime import datetime

import django
from django.conf import settings

port, instant = sys.argv[1:]
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(port)
django.setup()

from apps.core.mail import OutgoingMail  # noqa: E402 - only after the set-up
from apps.operations.services import send_reminders  # noqa: E402


def send_and_die(mail: OutgoingMail) -> int:
    mail.as_message().send()
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


send_reminders(now=datetime.fromisoformat(instant), send=send_and_die, budget_seconds=1000)
