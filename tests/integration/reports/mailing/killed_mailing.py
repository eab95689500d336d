"""A run that is killed at the point its argument names, on the environment's database and mail server.

A script for test_mail_killed.py; each point is a process of its own, forked when Django is ready.
"""

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import django
from django.conf import settings

django.setup()

from apps.core.mail import OutgoingMail  # noqa: E402 - only after the set-up
from apps.reports import delivery  # noqa: E402
from apps.reports.claims import Claim  # noqa: E402
from apps.reports.mail_tasks import send_generated_report_on_mail  # noqa: E402


def killed_before(function: Callable[..., Any]) -> Callable[..., Any]:
    def die(*_: Any, **__: Any) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    return die


def killed_after(function: Callable[..., Any]) -> Callable[..., Any]:
    def do_and_die(*args: Any, **kwargs: Any) -> None:
        function(*args, **kwargs)
        os.kill(os.getpid(), signal.SIGKILL)

    return do_and_die


POINTS = {
    "claimed": (delivery, "checked_content", killed_before),
    "accepted": (OutgoingMail, "send", killed_after),
    "noted": (Claim, "sent", killed_before),
    "marked": (Claim, "sent", killed_after),
}


def run_and_die(point: str, now_iso: str) -> None:
    place, name, how = POINTS[point]
    setattr(place, name, how(getattr(place, name)))
    send_generated_report_on_mail(now_iso=now_iso)


if __name__ == "__main__":
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", int(sys.argv[1])
    settings.REPORTS_ROOT = sys.argv[2]
    for name_of_point in POINTS:
        if (child := os.fork()) == 0:
            run_and_die(name_of_point, sys.argv[3])
            os._exit(0)  # the point was not reached
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status), name_of_point
