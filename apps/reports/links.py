"""Signed links to reports: whoever has one may read that one report, for a week."""

from typing import Final

from django.conf import settings
from django.core import signing
from django.db.models import Q, QuerySet
from django.urls import reverse

from .models import GeneratedReport

LIFETIME: Final = 7 * 24 * 3600  # seconds
LONGEST: Final = 200  # characters of a token; longer ones are not ours
_SALT: Final = "apps.reports.links"
_Status = GeneratedReport.Status


class LinkExpiredError(Exception):
    """The link was good once."""


class NoSuchLinkError(Exception):
    """No link of ours, or its report is not there any more."""


def link_to(report: GeneratedReport) -> str:
    """A whole address that is good for a week from now. Needs the schedule."""
    token = signing.dumps({"tenant": report.schedule.tenant_id, "report": report.pk}, salt=_SALT)
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('reports:download', args=[token])}"


def report_of(token: str) -> GeneratedReport:
    """The report that a token opens, with its schedule. Raises LinkExpiredError, NoSuchLinkError."""
    if len(token) > LONGEST:
        raise NoSuchLinkError
    try:
        named = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.SignatureExpired:
        raise LinkExpiredError from None
    except (signing.BadSignature, ValueError):
        raise NoSuchLinkError from None
    report = _open_to_links().filter(pk=named["report"], schedule__tenant_id=named["tenant"]).first()
    if report is None:
        raise NoSuchLinkError
    return report


def _open_to_links() -> QuerySet[GeneratedReport]:
    # SENDING too: its mail may be out before the row says so; and one that reached only some of its recipients.
    mailed = Q(status__in=[_Status.READY, _Status.SENDING, _Status.SENT]) | Q(delivered_to__len__gt=0)
    return GeneratedReport.objects.select_related("schedule").filter(mailed, schedule__tenant__is_active=True)
