"""Mailing the reports that are due: each is claimed, mailed and marked, and one that fails stops no other."""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from time import monotonic
from typing import Any, Final

from celery.exceptions import SoftTimeLimitExceeded
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from apps.core import context
from apps.core.exceptions import PermanentError
from apps.core.logs import get_logger, redact
from apps.core.mail import OutgoingMail, server_answers
from apps.core.retry import RETRIED, classify

from . import claims
from .claims import Claim, ClaimLostError
from .delivery import deliver, is_our_trouble, said_by_server
from .expiry import expire

log = get_logger(__name__)

BATCH: Final = 100  # reports that one selecting query names
MAX_ERRORS: Final = 100  # listed one by one; further ones are counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What a run mails with. Only time and chance differ in tests."""

    send: Callable[[OutgoingMail], int]
    tell_of_expiry: Callable[[int, list[int]], None]  # tenant, reports; in the transaction that expires them
    answers: Callable[[], bool] = server_answers
    clock: Callable[[], datetime] = timezone.now  # claims go by it, not by `now`: a late run works for an earlier one


@dataclass(slots=True, kw_only=True)
class MailingOutcome:
    counts: Counter[str] = field(default_factory=Counter)  # what happened, by name
    errors: list[dict[str, Any]] = field(default_factory=list)  # {"id", "reason"}, MAX_ERRORS at most
    server_down: bool = False  # then the rest is left to the next run
    resume_after: int | None = None  # the id to continue behind; None when all that is due was tried

    def note(self, what: str, report_id: int, reason: str) -> None:
        self.counts[what] += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append({"id": report_id, "reason": reason})
        log.warning(f"report.{what}", report_id=report_id, reason=reason)


def mail_due(
    *,
    now: datetime,
    post: Post,
    after: int = 0,
    budget_seconds: float,
    elapsed: Callable[[], float] = monotonic,
) -> MailingOutcome:
    """Mail every report that is due at `now`, in the order of ids above `after`, until the budget is spent.

    One report at least. Ends early while the mail server takes no connections. Raises OperationalError,
    InterfaceError and SoftTimeLimitExceeded: these are no fault of a report.
    """
    deadline = elapsed() + budget_seconds
    outcome = MailingOutcome()
    outcome.counts["reclaimed"] = claims.give_back_stale(at=post.clock())
    outcome.counts["expired"] = expire(now=now, tell=post.tell_of_expiry)
    while batch := claims.due_ids(now, after, BATCH):
        for after in batch:
            outcome.counts["found"] += 1
            if claim := claims.take(after, now=now, at=post.clock()):
                _mail(claim, post, outcome)
            else:
                outcome.counts["skipped"] += 1
            if outcome.server_down:
                log.warning("report.mail_server_down")
                return outcome
            if elapsed() >= deadline:
                outcome.resume_after = after
                return outcome
    return outcome


def _mail(claim: Claim, post: Post, outcome: MailingOutcome) -> None:
    report_id = claim.report.pk
    with context.using(tenant_id=claim.report.schedule.tenant_id):
        try:
            _try(claim, post, outcome)
        except ClaimLostError as lost:
            outcome.note("lost", report_id, str(lost))


def _try(claim: Claim, post: Post, outcome: MailingOutcome) -> None:
    try:
        delivered = deliver(claim, send=post.send, clock=post.clock)
    except (ClaimLostError, OperationalError, InterfaceError):
        raise
    except SoftTimeLimitExceeded:
        with suppress(ClaimLostError):
            claim.give_back()
        raise
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one report must not stop the others
        _end(claim, error, post, outcome)
        return
    outcome.counts.update(sent=1, mails=delivered.mails, links=int(delivered.by_link), dropped=delivered.dropped)
    if delivered.dropped:
        log.warning("report.recipients_dropped", report_id=claim.report.pk, count=delivered.dropped)


def _end(claim: Claim, error: Exception, post: Post, outcome: MailingOutcome) -> None:
    reason = reason_of(error)
    if classify(error) in RETRIED or is_our_trouble(error):
        claim.give_back()
        outcome.note("postponed", claim.report.pk, reason)
        outcome.server_down = isinstance(error, OSError) and not post.answers()
    else:
        claim.failed(reason)
        outcome.note("failed", claim.report.pk, reason)


def reason_of(error: Exception) -> str:
    """Why, for people to read and without anybody's address."""
    if isinstance(error, PermanentError):
        return redact(str(error))
    if codes := said_by_server([error]):
        return f"The mail server refused it ({codes})."
    return f"{type(error).__name__} while it was mailed."
