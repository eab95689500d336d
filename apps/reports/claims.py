"""Who mails a report: READY -> SENDING by one conditional update, and every further change only by who holds it.

The conditions name columns of the report's own row only. PostgreSQL looks at these again when it had to wait for
another transaction, at what a subquery selected it does not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import QuerySet

from .models import GeneratedReport

STALE_AFTER: Final = timedelta(minutes=15)  # without a sign of its holder; then a claim is void
LATEST: Final = timedelta(hours=12)  # after send_at; what has not been mailed by then is not mailed any more
_Status = GeneratedReport.Status


class ClaimLostError(Exception):
    """The claim was silent for too long and is void: another run may mail the report by now."""


@dataclass(slots=True, kw_only=True)
class Claim:
    """A report that this run alone may mail. What ends or renews it raises ClaimLostError where it is void."""

    report: GeneratedReport  # with its schedule, tenant and site
    since: datetime  # as the row has it: the proof that it is this claim that the row tells of

    def renew(self, *, delivered_to: Iterable[str], at: datetime) -> None:
        """Say that the holder is alive, and to whom the report has got."""
        self._change(sending_since=at, delivered_to=list(delivered_to))
        self.since = at

    def sent(self, *, at: datetime) -> None:
        self._change(status=_Status.SENT, sent_at=at, sending_since=None, reason="")

    def failed(self, reason: str) -> None:
        self._change(status=_Status.FAILED, sending_since=None, reason=reason[:500])

    def give_back(self) -> None:
        """For the next run, which finds what was delivered already."""
        self._change(status=_Status.READY, sending_since=None)

    def _change(self, **fields: Any) -> None:
        mine = GeneratedReport.objects.filter(pk=self.report.pk, status=_Status.SENDING, sending_since=self.since)
        if not mine.update(**fields):
            raise ClaimLostError


def due_ids(now: datetime, after: int, limit: int) -> list[int]:
    """Reports above `after` that are to be mailed at `now`, of active tenants; ascending."""
    due = _in_time(now).filter(pk__gt=after, schedule__tenant__is_active=True)
    return list(due.order_by("pk").values_list("pk", flat=True)[:limit])


def take(report_id: int, *, now: datetime, at: datetime) -> Claim | None:
    """The claim on a report that is due at `now`, made at the instant `at`; None where another run was first."""
    if not _in_time(now).filter(pk=report_id).update(status=_Status.SENDING, sending_since=at):
        return None
    read = GeneratedReport.objects.select_related("schedule__tenant", "schedule__site")
    return Claim(report=read.get(pk=report_id), since=at)


def give_back_stale(*, at: datetime) -> int:
    """Void the claims of runs that have not been heard of. Returns how many."""
    stale = GeneratedReport.objects.filter(status=_Status.SENDING, sending_since__lt=at - STALE_AFTER)
    return stale.update(status=_Status.READY, sending_since=None)


def mail_again(reports: QuerySet[GeneratedReport], *, now: datetime) -> int:
    """Let those of these be mailed that failed or came too late and have a file. Returns how many.

    Whoever has got it already does not get it again.
    """
    ended = reports.filter(status__in=[_Status.FAILED, _Status.EXPIRED]).exclude(file="")
    return ended.update(status=_Status.READY, send_at=now, reason="")


def _in_time(now: datetime) -> QuerySet[GeneratedReport]:
    return GeneratedReport.objects.filter(status=_Status.READY, send_at__lte=now, send_at__gte=now - LATEST)
