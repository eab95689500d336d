"""Two tenants whose sites, work and reports have equal names and times never get each other's rows or files."""

from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.organization.models import Asset
from apps.reports import files, services
from apps.reports.models import GeneratedReport
from apps.reports.types import TYPES

from .asking import ask, rows_of
from .firm import DAY, HOUR, MIDNIGHT, NOW, Firm

pytestmark = pytest.mark.django_db

HOURS = st.integers(0, 23).map(lambda hours: MIDNIGHT - DAY + hours * HOUR)
WORK = st.tuples(
    st.sampled_from(["TASK", "INTERNAL_TOUR", "PPM", "SITE_REPORT"]),
    st.sampled_from(["ASSIGNED", "PARTIALLY_COMPLETED", "COMPLETED", "AUTO_CLOSED"]),
    HOURS,
)
TICKETS = st.tuples(
    HOURS,
    st.sampled_from([(), ("RESOLVE",), ("HOLD",), ("HOLD", "RESUME", "RESOLVE"), ("RESOLVE", "REOPEN")]),
    st.sampled_from(["LOW", "CRITICAL"]),
)
DATA = st.tuples(st.lists(WORK, max_size=4), st.lists(TICKETS, max_size=3), st.integers(0, 6))
# Building two companies takes some tenths of a second, so there are few examples, and none is made smaller.
EXAMPLES = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def firm_with(slug, data):
    """A firm in which all but the slug and the data is as in any other."""
    work, tickets, agreed = data
    firm = Firm(slug, name="The company")
    for number, (kind, status, planned_at) in enumerate(work):
        job = firm.job(kind, name=f"Job {kind}", asset=firm.asset)
        firm.occurrence(job, planned_at + timedelta(minutes=number), status, checkpoints=["COMPLETED"])
    for at, steps, priority in tickets:
        changes = [(step, (number + 1) * HOUR) for number, step in enumerate(steps)]
        firm.ticket(at, *changes, priority=priority, asset=firm.asset)
    if agreed:
        firm.agree(agreed)
    return firm


def everything(firm):
    """What all types say of all sites and of the one."""
    found = {}
    for type_ in TYPES:
        for site in (None, firm.site):
            content = ask(firm, type_, site=site)
            found[type_, site is None] = (rows_of(content), content.facts, content.totals, content.chart)
    return found


class _RollBackError(Exception):
    pass


def undone(function):
    """Run an example in a transaction that is rolled back."""
    try:
        with transaction.atomic():
            function()
            raise _RollBackError
    except _RollBackError:
        pass


@EXAMPLES
@given(mine=DATA, others=DATA)
def test_what_a_report_says_does_not_depend_on_another_tenants_rows(db, mine, others):
    def example():
        firm = firm_with("mine", mine)
        alone = everything(firm)
        other = firm_with("other", others)
        Asset.objects.create(site=other.add_site("S2"), code="P2", name="Another pump")
        assert everything(firm) == alone

    undone(example)


@EXAMPLES
@given(mine=DATA, others=DATA, type_=st.sampled_from(list(TYPES)))
def test_files_of_equal_names_and_times_are_apart(db, reports_root, mine, others, type_):
    def example():
        firms = [firm_with("mine", mine), firm_with("other", others)]
        for firm in firms:
            firm.schedule(type_, site=firm.site, format="CSV")
        assert services.make_due(now=NOW, tell=pytest.fail).counts["generated"] == 2
        reports = [GeneratedReport.objects.get(schedule__tenant=firm.tenant) for firm in firms]
        for firm, report, other in zip(firms, reports, reversed(reports), strict=True):
            path = files.path_of(report)
            assert path.is_relative_to(reports_root / str(firm.tenant.pk))
            assert path != files.path_of(other)
            assert report.rows == ask(firm, type_, site=firm.site).row_count
            with pytest.raises(files.NoSuchPlaceError):
                files.path_of(GeneratedReport(schedule=report.schedule, file=other.file))

    undone(example)
