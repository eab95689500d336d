"""The sweep that reminds people of work before it is due.

A reminder is sent and marked under one row lock. A worker that is killed between the two leaves it as it was, so the
next run sends it again, with the same Message-ID, by which a mail server can drop the repeat.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from smtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected
from typing import Any, Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import DatabaseError, InterfaceError, transaction
from django.db.models import F

from apps.core.mail import OutgoingMail
from apps.core.sweeps import MAX_ERRORS, SweepOutcome, sweep

from .models import JobNeed, Reminder
from .reminder_mail import reminder_mail

MOST_ATTEMPTS: Final = 3
UNREACHABLE_IN_A_ROW: Final = 3  # mails that no server took; then the rest waits for the next run
PORTION: Final = 1000  # reminders that one statement marks as expired

Status = Reminder.Status
Send = Callable[[OutgoingMail], int]


def send_reminders(
    *,
    now: datetime,
    send: Send,
    budget_seconds: float,
    after: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> SweepOutcome:
    """Send every reminder with `remind_at <= now` whose work is still ahead and not begun.

    `send` returns the number of recipients; what it raises is a failed attempt, of which a reminder has three. Counts
    found, sent, recipients, expired, failed, given_up, nobody_to_tell, skipped and postponed.
    """
    expired = expire(now)
    run = _Run(now=now, send=send)
    outcome = sweep(select=run.select, handle=run.handle, after=after, budget_seconds=budget_seconds, clock=clock)
    counts = outcome.counts + Counter({"expired": expired})
    return replace(outcome, counts=counts, errors=[*outcome.errors, *run.errors][:MAX_ERRORS])


def expire(now: datetime) -> int:
    """Mark pending reminders whose work's time has come, a portion in each transaction. Returns how many."""
    total = 0
    while True:
        with transaction.atomic():
            late = Reminder.objects.filter(status=Status.PENDING, remind_at__lte=now, jobneed__planned_at__lte=now)
            ids = list(late.select_for_update(of=("self",), skip_locked=True).values_list("pk", flat=True)[:PORTION])
            total += Reminder.objects.filter(pk__in=ids).update(status=Status.EXPIRED)
        if len(ids) < PORTION:
            return total


class _Run:
    """One run of the sweep: what is due at `now`, and how its mails went."""

    def __init__(self, *, now: datetime, send: Send) -> None:
        self.errors: list[dict[str, Any]] = []
        self._now = now
        self._send = send
        self._unreachable = 0  # in a row

    def select(self, after: int, limit: int) -> Sequence[int]:
        if self._is_server_down:
            return []
        due = Reminder.objects.filter(
            status=Status.PENDING,
            remind_at__lte=self._now,
            jobneed__planned_at__gt=self._now,
            jobneed__status=JobNeed.Status.ASSIGNED,
            jobneed__site__tenant__is_active=True,
            pk__gt=after,
        )
        return list(due.order_by("pk").values_list("pk", flat=True)[:limit])

    def handle(self, reminder_id: int) -> Counter[str]:
        if self._is_server_down:
            return Counter(["postponed"])
        reminder = self._lock(reminder_id)
        if reminder is None:
            return Counter(["skipped"])  # in another worker's hands, sent, or its work has begun
        try:
            mail = reminder_mail(reminder)
            recipients = self._send(mail) if mail else 0
        except (DatabaseError, InterfaceError, SoftTimeLimitExceeded):
            raise
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one mail must not stop the others
            self._unreachable = self._unreachable + 1 if is_unreachable(error) else 0
            return self._failed(reminder, reason_of(error))
        self._unreachable = 0
        if mail is None:
            return self._failed(reminder, "nobody to tell") + Counter(["nobody_to_tell"])
        Reminder.objects.filter(pk=reminder.pk).update(status=Status.SENT, sent_at=self._now)
        return Counter({"sent": 1, "recipients": recipients})

    @property
    def _is_server_down(self) -> bool:
        return self._unreachable >= UNREACHABLE_IN_A_ROW

    def _lock(self, reminder_id: int) -> Reminder | None:
        """The reminder, where nobody else has it and it is still to be sent."""
        rows = Reminder.objects.filter(pk=reminder_id, status=Status.PENDING)
        if rows.select_for_update(skip_locked=True).first() is None:
            return None
        # Read behind the lock: the work may have begun since the selection.
        related = ("job", "site", "asset", "assignee_person", "assignee_group")
        ahead = Reminder.objects.filter(jobneed__status=JobNeed.Status.ASSIGNED, jobneed__planned_at__gt=self._now)
        return ahead.select_related(*(f"jobneed__{name}" for name in related)).filter(pk=reminder_id).first()

    def _failed(self, reminder: Reminder, reason: str) -> Counter[str]:
        is_last = reminder.attempts + 1 >= MOST_ATTEMPTS
        status = Status.FAILED if is_last else Status.PENDING
        Reminder.objects.filter(pk=reminder.pk).update(attempts=F("attempts") + 1, status=status)
        self.errors.append({"id": reminder.pk, "reason": reason})
        return Counter(["failed", "given_up"] if is_last else ["failed"])


def reason_of(error: Exception) -> str:
    """What went wrong with a mail: servers quote addresses, so it is the error's class and the server's code only."""
    code = getattr(error, "smtp_code", None)
    return type(error).__name__ if code is None else f"{type(error).__name__} {code}"


def is_unreachable(error: Exception) -> bool:
    """Whether no mail server took the mail at all, which is no fault of this mail."""
    if isinstance(error, SMTPServerDisconnected | SMTPConnectError):
        return True
    return isinstance(error, OSError) and not isinstance(error, SMTPException)
