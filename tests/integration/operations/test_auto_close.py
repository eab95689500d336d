"""auto_close: what is closed, how, and what follows from it."""

from datetime import timedelta

import pytest
from django.db import IntegrityError

from apps.helpdesk.models import Ticket
from apps.operations.models import JobNeed
from apps.organization.models import Person

from .company import HOUR, NOW, Company

pytestmark = pytest.mark.django_db
Status = JobNeed.Status
ASSIGNED, IN_PROGRESS, PARTIALLY_COMPLETED, COMPLETED, AUTO_CLOSED = Status.values


@pytest.mark.parametrize(
    ("status", "checkpoints", "checklist", "outcome", "left", "counted"),
    [
        (ASSIGNED, [], [], AUTO_CLOSED, [], "closed"),
        (
            IN_PROGRESS,
            [COMPLETED, ASSIGNED],
            [],
            PARTIALLY_COMPLETED,
            [COMPLETED, AUTO_CLOSED],
            "partially",
        ),
        (IN_PROGRESS, [COMPLETED, COMPLETED], [True], COMPLETED, [COMPLETED, COMPLETED], "completed"),
        (IN_PROGRESS, [COMPLETED, COMPLETED], [False], AUTO_CLOSED, [COMPLETED, COMPLETED], "closed"),
        (ASSIGNED, [COMPLETED, ASSIGNED], [], AUTO_CLOSED, [COMPLETED, AUTO_CLOSED], "closed"),
        (IN_PROGRESS, [IN_PROGRESS, ASSIGNED], [], AUTO_CLOSED, [IN_PROGRESS, AUTO_CLOSED], "closed"),
    ],
)
def test_root_and_checkpoints_get_the_outcome_that_the_rule_names(
    company, run_sweep, status, checkpoints, checklist, outcome, left, counted
):
    root = company.occurrence(status=status, checkpoints=checkpoints, checklist=checklist)
    assert run_sweep().counts == {"found": 1, counted: 1}
    root.refresh_from_db()
    assert (root.status, root.closed_by_server) == (outcome, True)
    assert list(root.checkpoints.order_by("pk").values_list("status", flat=True)) == left


def test_completed_checkpoints_are_not_touched(company, run_sweep):
    root = company.occurrence(status="IN_PROGRESS", checkpoints=["COMPLETED", "ASSIGNED"])
    run_sweep()
    assert list(root.checkpoints.order_by("pk").values_list("closed_by_server", flat=True)) == [False, True]


@pytest.mark.parametrize("status", ["PARTIALLY_COMPLETED", "COMPLETED", "AUTO_CLOSED"])
def test_what_is_closed_is_not_found(company, run_sweep, status):
    company.occurrence(status=status)
    assert run_sweep().counts == {}


def test_the_expiry_itself_is_the_first_instant_at_which_it_is_closed(company, run_sweep):
    company.occurrence(expires_at=NOW)
    later = company.occurrence(expires_at=NOW + timedelta(microseconds=1))
    assert run_sweep().counts == {"found": 1, "closed": 1}
    later.refresh_from_db()
    assert later.status == Status.ASSIGNED


def test_checkpoints_are_closed_with_their_tour_only(company, run_sweep):
    tour = company.occurrence(expires_at=NOW + HOUR, checkpoints=["ASSIGNED"])
    tour.checkpoints.update(planned_at=NOW - 2 * HOUR, expires_at=NOW - HOUR)
    assert run_sweep().counts == {}
    assert tour.checkpoints.get().status == Status.ASSIGNED


def test_an_outage_of_a_week_loses_nothing(company, run_sweep):
    for hours in (1, 24, 7 * 24, 400 * 24):
        company.occurrence(expires_at=NOW - hours * HOUR, on_expiry="RAISE_TICKET")
    sweep = run_sweep()
    assert sweep.counts == {"found": 4, "closed": 4, "tickets": 4, "mails": 4}
    assert len(sweep.notices) == Ticket.objects.count() == 4


def test_a_tenant_that_is_switched_off_is_left_alone(company, run_sweep):
    other = Company("other")
    other.tenant.is_active = False
    other.tenant.save()
    other.occurrence()
    mine = company.occurrence()
    assert run_sweep().counts == {"found": 1, "closed": 1}
    assert JobNeed.objects.get(status=Status.AUTO_CLOSED) == mine


def test_without_on_expiry_nothing_follows(company, run_sweep):
    company.occurrence(on_expiry="NONE")
    sweep = run_sweep()
    assert sweep.counts == {"found": 1, "closed": 1}
    assert sweep.notices == []
    assert not Ticket.objects.exists()


def test_notify_tells_people_and_raises_no_ticket(company, run_sweep):
    root = company.occurrence(on_expiry="NOTIFY")
    sweep = run_sweep()
    assert sweep.counts == {"found": 1, "closed": 1, "mails": 1}
    [notice] = sweep.notices
    assert (notice.jobneed_id, notice.tenant_id, notice.closed_at) == (root.pk, company.tenant.pk, NOW)
    assert (notice.ticket_number, notice.escalates_at) == (None, None)
    assert not Ticket.objects.exists()


def test_raise_ticket_writes_a_system_ticket_about_the_work(company, run_sweep):
    company.escalates_after(4, "HOUR")
    company.occurrence(on_expiry="RAISE_TICKET", name="Check the pump", planned_at=NOW - 6 * HOUR)
    sweep = run_sweep()
    assert sweep.counts == {"found": 1, "closed": 1, "tickets": 1, "mails": 1}
    ticket = Ticket.objects.get()
    assert (ticket.tenant, ticket.site, ticket.asset) == (company.tenant, company.site, company.asset)
    assert (ticket.source, ticket.category, ticket.priority) == ("SYSTEM", "Safety", "HIGH")
    assert (ticket.assignee_person, ticket.assignee_group) == (company.guard, None)
    assert ticket.created_at == NOW
    assert ticket.description == (
        "Check the pump, planned for Mon 23 Nov 2026 11:30 (Asia/Kolkata), was not done in time."
    )
    [notice] = sweep.notices
    assert (notice.ticket_number, notice.escalates_at) == (ticket.number, NOW + 4 * HOUR)


def test_a_part_that_was_done_still_has_its_consequences(company, run_sweep):
    company.occurrence(status="IN_PROGRESS", checkpoints=["COMPLETED", "ASSIGNED"], on_expiry="RAISE_TICKET")
    assert run_sweep().counts == {"found": 1, "partially": 1, "tickets": 1, "mails": 1}


def test_work_that_turns_out_to_be_done_has_none(company, run_sweep):
    company.occurrence(status="IN_PROGRESS", checklist=[True], on_expiry="RAISE_TICKET")
    sweep = run_sweep()
    assert sweep.counts == {"found": 1, "completed": 1}
    assert sweep.notices == []


@pytest.mark.parametrize("on_expiry", ["NOTIFY", "RAISE_TICKET"])
def test_with_nobody_to_tell_it_is_counted_and_still_closed(company, run_sweep, on_expiry):
    company.site.in_charge = ["not an address"]
    company.site.save()
    Person.objects.filter(is_tenant_admin=True).update(is_active=False)
    root = company.occurrence(on_expiry=on_expiry)
    sweep = run_sweep()
    assert sweep.counts["nobody_to_tell"] == 1
    assert "mails" not in sweep.counts
    assert sweep.notices == []
    assert Ticket.objects.count() == (on_expiry == "RAISE_TICKET")
    root.refresh_from_db()
    assert root.status == Status.AUTO_CLOSED


def test_a_second_run_finds_nothing_to_do(company, run_sweep):
    company.occurrences(3, on_expiry="RAISE_TICKET")
    assert run_sweep().counts["closed"] == 3
    again = run_sweep(now=NOW + HOUR)
    assert again.counts == {}
    assert again.notices == []
    assert Ticket.objects.count() == 3


def test_a_bad_row_costs_one_row_and_is_named(company, run_sweep, settings):
    first, bad, last = company.occurrences(3, on_expiry="RAISE_TICKET")
    settings.OPERATIONS_TICKET_RAISER = f"{__name__}.raise_except_for_the_second"
    sweep = run_sweep()
    assert sweep.counts == {"found": 3, "closed": 2, "tickets": 2, "mails": 2, "failed": 1}
    [error] = sweep.outcome.errors
    assert error == {"id": bad.pk, "reason": "IntegrityError: [e-mail] is no good"}
    assert [notice.jobneed_id for notice in sweep.notices] == [first.pk, last.pk]
    bad.refresh_from_db()
    assert bad.status == Status.ASSIGNED
    assert Ticket.objects.count() == 2


def raise_except_for_the_second(**request):
    from apps.helpdesk.services import raise_system_ticket

    ticket = raise_system_ticket(**request)
    if Ticket.objects.count() == 2 and not hasattr(raise_except_for_the_second, "done"):
        raise_except_for_the_second.done = True
        raise IntegrityError("somebody@acme.example is no good")
    return ticket


def test_an_outcome_that_is_illegal_is_an_error_and_no_silent_write(company, run_sweep, monkeypatch):
    root = company.occurrence(on_expiry="NOTIFY")
    monkeypatch.setattr("apps.operations.auto_close.outcome_of", lambda *_: Status.PARTIALLY_COMPLETED)
    sweep = run_sweep()
    assert sweep.counts == {"found": 1, "failed": 1}
    assert "ASSIGNED cannot become PARTIALLY_COMPLETED" in sweep.outcome.errors[0]["reason"]
    root.refresh_from_db()
    assert root.status == Status.ASSIGNED


def test_the_budget_ends_a_run_and_the_next_one_goes_on_behind_it(company, run_sweep):
    rows = company.occurrences(5)
    clock = iter(range(100))  # each look at the clock is a second later
    first = run_sweep(budget_seconds=2, clock=lambda: next(clock))
    assert first.counts == {"found": 2, "closed": 2}
    assert first.outcome.resume_after == rows[1].pk
    rest = run_sweep(after=rows[1].pk)
    assert rest.counts == {"found": 3, "closed": 3}
    assert rest.outcome.resume_after is None
