"""Two tenants with the same names and times never see each other's files or mails."""

import shutil
from email import policy
from email.parser import BytesParser
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.reports.links import NoSuchLinkError, link_to, report_of
from apps.reports.models import GeneratedReport

from .agency import NOW, Agency

pytestmark = pytest.mark.django_db

# Each asks for people of its own, of the other one and of nobody, in both lists and in any case.
ASKED = st.lists(
    st.sampled_from(
        ["rita@{own}", "ADA@{own}", "gate@{own}", "Rita@{other}", "ada@{other}", "gate@{other}", "x@y.example"]
    ),
    max_size=5,
)
KINDS = st.sampled_from(["CSV", "HTML", "PDF"])
PLANS = st.lists(st.tuples(ASKED, ASKED, KINDS), min_size=1, max_size=3)


class Both:
    """Two tenants that differ by their ids alone: same names, people, sites and reports."""

    def __init__(self) -> None:
        self.agencies = [Agency("one"), Agency("two")]
        for agency in self.agencies:
            agency.tenant.name = "Same"
            agency.tenant.save()

    def report(self, place: int, to: list[str], cc: list[str], kind: str) -> GeneratedReport:
        own, other = self.agencies[place], self.agencies[1 - place]
        domains = {"own": f"{own.slug}.example", "other": f"{other.slug}.example"}
        schedule = own.schedule(
            to=[a.format(**domains) for a in to], cc=[a.format(**domains) for a in cc], format=kind
        )
        return own.report(schedule, content=f"secret of {own.slug}".encode())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plans=st.tuples(PLANS, PLANS))
def test_mails_files_and_links_stay_with_their_tenant(mail_due: Any, reports_root: Any, plans: Any) -> None:
    mail.outbox = []
    with transaction.atomic():
        both = Both()
        reports = [(place, both.report(place, to, cc, kind)) for place in (0, 1) for to, cc, kind in plans[place]]
        counts = mail_due(NOW)
        assert counts.get("sent", 0) == len(mail.outbox)
        for message in mail.outbox:
            domains = {address.rpartition("@")[2] for address in message.recipients()}
            parsed = BytesParser(policy=policy.default).parsebytes(message.message().as_bytes())
            (part,) = parsed.iter_attachments()
            assert domains == {f"{part.get_payload(decode=True).decode().removeprefix('secret of ')}.example"}
        for place, report in reports:
            own = f"@{both.agencies[place].slug}.example"
            is_asked_for = any(address.endswith(own) for address in report.schedule.to + report.schedule.cc)
            token = link_to(report).rstrip("/").rpartition("/")[2]
            report.refresh_from_db()
            assert (report.status == "SENT") == bool(report.delivered_to) == is_asked_for
            if report.status == "SENT":
                assert report_of(token).schedule.tenant_id == both.agencies[place].tenant.pk
            else:
                with pytest.raises(NoSuchLinkError):
                    report_of(token)
        transaction.set_rollback(True)
    shutil.rmtree(reports_root)
