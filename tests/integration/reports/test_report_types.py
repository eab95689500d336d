"""What each type of report says, against numbers written by hand."""

from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from apps.organization.models import Asset, Group, Holiday
from apps.reports.types import TYPES, BadReportError
from apps.reports.windows import Window

from .asking import YESTERDAY, ask, bars, rows_of
from .firm import DAY, HOUR, MIDNIGHT, MINUTE, NOW, Firm

pytestmark = pytest.mark.django_db

START = YESTERDAY.start
AT = START + 9 * HOUR  # 09:00 on the day that is reported


@pytest.mark.parametrize("type_", TYPES)
def test_of_nothing_there_are_headings_facts_and_totals(firm, type_):
    firm.asset.delete()
    content = ask(firm, type_)
    assert content.columns
    assert rows_of(content) == ([] if type_ != "SITE_VISIT" else [("S1", "North gate", 0, 0, 0, 0, 1, None, None)])
    assert content.chart is None
    assert content.totals
    facts = dict(content.facts)
    assert facts["Company"] == "Acme"
    assert facts["Site"] == "all"
    assert facts["From"] == "Tue 24 Nov 2026 00:00 (Asia/Kolkata)"
    assert facts["Until"] == "Wed 25 Nov 2026 00:00 (Asia/Kolkata)"
    assert facts["Made"] == "Wed 25 Nov 2026 00:05 (Asia/Kolkata)"


@pytest.mark.parametrize("type_", TYPES)
def test_every_type_refuses_parameters_that_it_does_not_know(firm, type_):
    with pytest.raises(BadReportError, match="no parameter 'colour'"):
        ask(firm, type_, colour="red")


def test_moments_of_one_site_are_in_its_zone_and_the_window_in_the_schedules(firm):
    site = firm.add_site("B1", "Berlin", zone="Europe/Berlin")
    content = ask(firm, "TASK_SUMMARY", site=site)
    assert content.zone.key == "Europe/Berlin"
    assert dict(content.facts)["Site"] == "B1 Berlin"
    assert dict(content.facts)["From"] == "Tue 24 Nov 2026 00:00 (Asia/Kolkata)"


def test_tasks_are_counted_by_job_and_what_became_of_them(firm):
    check = firm.job(name="Check", priority="HIGH")
    for status in ("COMPLETED", "COMPLETED", "AUTO_CLOSED", "ASSIGNED"):
        firm.occurrence(check, AT + 10 * MINUTE * check.occurrences.count(), status)
    firm.occurrence(check, AT + HOUR, "COMPLETED", done_after=40 * MINUTE)
    other = firm.job(name="Other", priority="LOW")
    firm.occurrence(other, AT, "PARTIALLY_COMPLETED")
    firm.occurrence(other, START - MINUTE)  # before the window
    firm.occurrence(other, MIDNIGHT)  # after it
    firm.occurrence(firm.job("PPM"), AT)
    elsewhere = firm.job(name="Check", site=firm.add_site("S0"))
    firm.occurrence(elsewhere, AT, "IN_PROGRESS")
    content = ask(firm, "TASK_SUMMARY")
    assert rows_of(content) == [
        ("S0", "Check", "MEDIUM", 1, 0, 0, 0, 1, Decimal(0), None),
        ("S1", "Check", "HIGH", 5, 3, 0, 1, 1, Decimal("0.6"), 20.0),  # (10 + 10 + 40) / 3
        ("S1", "Other", "LOW", 1, 0, 1, 0, 0, Decimal(0), None),
    ]
    assert bars(content) == {"S1": (3, 1, 1, 1), "S0": (0, 0, 0, 1)}
    assert dict(content.totals) == {
        "Planned": "7",
        "Completed": "3 (43%)",
        "Partly completed": "1",
        "Missed": "1",
        "Still open": "2",
    }
    at_one = ask(firm, "TASK_SUMMARY", site=firm.site, priorities=["HIGH"])
    assert [row[1] for row in rows_of(at_one)] == ["Check"]
    assert bars(at_one) == {"Check": (3, 0, 1, 1)}


def test_jobs_of_one_name_are_told_apart(firm):
    for _ in range(2):
        firm.occurrence(firm.job(name="Check"), AT)
    assert [row[:4] for row in rows_of(ask(firm, "TASK_SUMMARY"))] == [("S1", "Check", "MEDIUM", 1)] * 2


def test_a_chart_shows_the_dozen_with_the_most(firm):
    for number in range(14):
        job = firm.job(site=firm.add_site(f"T{number:02}"))
        for n in range(20 - number):
            firm.occurrence(job, AT + n * MINUTE)
    content = ask(firm, "TASK_SUMMARY")
    assert content.chart.labels == tuple(f"T{number:02}" for number in range(12))
    assert content.chart.title == "Tasks by site, the 12 with the most"
    assert content.row_count == 14


def test_tours_are_counted_once_however_many_checkpoints_they_have(firm):
    tour = firm.job("EXTERNAL_TOUR", name="Fence")
    firm.occurrence(tour, AT, "PARTIALLY_COMPLETED", checkpoints=["COMPLETED", "COMPLETED", "AUTO_CLOSED"])
    firm.occurrence(tour, AT + HOUR, "COMPLETED", checkpoints=["COMPLETED"])
    firm.occurrence(firm.job("INTERNAL_TOUR", name="Lobby"), AT, "AUTO_CLOSED")
    content = ask(firm, "TOUR_SUMMARY")
    assert rows_of(content) == [
        ("S1", "Fence", "External Tour", 2, 1, 1, 0, 0, Decimal("0.5"), 4, 3, Decimal("0.75")),
        ("S1", "Lobby", "Internal Tour", 1, 0, 0, 1, 0, Decimal(0), 0, 0, None),
    ]
    assert dict(content.totals)["Checkpoints visited"] == "3 of 4"
    assert [row[1] for row in rows_of(ask(firm, "TOUR_SUMMARY", kinds=["INTERNAL_TOUR"]))] == ["Lobby"]


def test_maintenance_says_when_it_was_done_and_is_due_next(firm):
    service = firm.job("PPM", name="Service", asset=firm.asset)
    firm.occurrence(service, AT, "COMPLETED")
    firm.occurrence(service, AT + HOUR, "AUTO_CLOSED")
    firm.occurrence(service, MIDNIGHT + 30 * DAY)
    firm.occurrence(service, MIDNIGHT + 60 * DAY)
    firm.occurrence(firm.job("PPM", name="Roof"), AT)
    content = ask(firm, "PPM_SUMMARY")
    numbers = (2, 1, 0, 1, 0, Decimal("0.5"))
    assert rows_of(content) == [
        ("S1", "P1", "Pump", "Service", *numbers, AT + 10 * MINUTE, MIDNIGHT + 30 * DAY),
        ("S1", None, None, "Roof", 1, 0, 0, 0, 1, Decimal(0), None, None),
    ]


def test_the_list_has_the_tickets_raised_in_the_window_as_they_stand_now(firm):
    night = Group.objects.create(tenant=firm.tenant, name="Night shift")
    firm.ticket(START - MINUTE)
    first = firm.ticket(START, ("OPEN", HOUR), ("RESOLVE", 3 * HOUR), ("CLOSE", DAY), priority="HIGH")
    second = firm.ticket(AT, ("ESCALATE", HOUR), assignee_group=night, category="Lift")
    firm.ticket(MIDNIGHT)
    content = ask(firm, "TICKET_LIST")
    say = "It does not close."
    assert rows_of(content) == [
        (first.number, START, "S1", "Door", "HIGH", "CLOSED", 0, None, START + 3 * HOUR, 180.0, say),
        (second.number, AT, "S1", "Lift", "MEDIUM", "NEW", 1, "Night shift", None, None, say),
    ]
    assert bars(content) == {"HIGH": (0, 0, 1, 0), "MEDIUM": (1, 0, 0, 0)}
    assert dict(content.totals) == {
        "Raised": "2",
        "Waiting": "1",
        "On hold": "0",
        "Done": "1",
        "Cancelled": "0",
        "Escalated": "1",
    }
    for chosen in ({"statuses": ["NEW"]}, {"priorities": ["MEDIUM"]}, {"categories": ["Lift", "Gate"]}):
        assert [row[0] for row in rows_of(ask(firm, "TICKET_LIST", **chosen))] == [second.number]
    for wrong in ("Lift", [], [1], ["\0"]):
        with pytest.raises(BadReportError, match="categories"):
            ask(firm, "TICKET_LIST", categories=wrong)


def attainment(content, priority="MEDIUM"):
    """Resolved, in time, late, no time agreed, attainment, minutes, overdue, waiting."""
    return next((row[1:] for row in rows_of(content) if row[0] == priority), None)


def test_attainment_counts_what_was_resolved_in_the_window(firm):
    firm.agree(4)
    firm.ticket(AT, ("RESOLVE", 2 * HOUR))
    firm.ticket(AT, ("RESOLVE", 4 * HOUR))  # on the very second
    firm.ticket(AT, ("RESOLVE", 4 * HOUR + MINUTE))
    firm.ticket(AT, ("RESOLVE", HOUR), category="Lift")  # for which nothing is agreed
    firm.ticket(START - 2 * HOUR, ("RESOLVE", HOUR))  # resolved before the window
    firm.ticket(MIDNIGHT - 5 * HOUR)  # waits, and is overdue at the end
    firm.ticket(MIDNIGHT - HOUR)  # waits, and is not
    firm.ticket(MIDNIGHT - 5 * HOUR, ("RESOLVE", 6 * HOUR))  # after the window, so that it is overdue at its end
    firm.ticket(AT, ("CANCEL", 9 * HOUR))
    firm.ticket(AT, ("RESOLVE", 2 * HOUR), priority="CRITICAL")
    content = ask(firm, "TICKET_SLA")
    assert attainment(content) == (4, 2, 1, 1, Decimal(2) / 3, (2 + 4 + 4 + 1 / 60 + 1) * 60 / 4, 2, 1)
    assert [row[0] for row in rows_of(content)] == ["CRITICAL", "MEDIUM"]
    assert bars(content) == {"CRITICAL": (100,), "MEDIUM": (pytest.approx(66.6667),)}
    assert dict(content.totals) == {"Resolved": "5", "Resolved in time": "3 (75.0%)", "Overdue at the end": "2"}


def test_time_on_hold_does_not_count(firm):
    firm.agree(4)
    firm.ticket(AT, ("HOLD", HOUR), ("RESUME", 6 * HOUR), ("RESOLVE", 8 * HOUR))  # 1 + 2 hours
    firm.ticket(AT, ("HOLD", HOUR), ("RESOLVE", 9 * HOUR))  # 1 hour
    firm.ticket(START, ("HOLD", 3 * HOUR))  # still on hold after 3 hours
    firm.ticket(START, ("HOLD", 5 * HOUR))  # after 5
    # On hold over the window's end, and resolved long after it.
    firm.ticket(MIDNIGHT - 5 * HOUR, ("HOLD", HOUR), ("RESUME", 9 * HOUR), ("RESOLVE", 90 * HOUR))
    assert attainment(ask(firm, "TICKET_SLA", now=NOW + 9 * DAY)) == (2, 2, 0, 0, 1, 120.0, 1, 2)


def test_business_hours_and_holidays_count_as_for_escalations(firm):
    firm.agree(4)
    firm.policy(opens_at=time(9), closes_at=time(17), weekdays=[1, 2, 3, 4, 5])
    friday = datetime(2026, 11, 20, 10, 30, tzinfo=UTC)  # 16:00 in Kolkata, an hour before they close
    Holiday.objects.create(tenant=firm.tenant, date=date(2026, 11, 23))
    firm.ticket(friday, ("RESOLVE", 4 * DAY - 4 * HOUR))  # Tuesday 12:00, so 1 + 3 hours
    firm.ticket(friday, ("RESOLVE", 4 * DAY - 3 * HOUR))  # Tuesday 13:00
    assert attainment(ask(firm, "TICKET_SLA"))[:6] == (2, 1, 1, 0, Decimal("0.5"), 270.0)


def test_an_escalated_ticket_was_late_whatever_the_rules_say_now(firm):
    rule = firm.agree(1)
    firm.ticket(AT, ("ESCALATE", HOUR), ("RESOLVE", 2 * HOUR))
    rule.value, rule.unit = 1, "WEEK"
    rule.save()
    assert attainment(ask(firm, "TICKET_SLA"))[:5] == (1, 0, 1, 0, 0)
    rule.delete()
    assert attainment(ask(firm, "TICKET_SLA"))[:5] == (1, 0, 1, 0, 0)


def test_a_rule_that_is_off_agrees_on_nothing_and_a_sites_rule_goes_first(firm):
    firm.agree(0)
    firm.ticket(AT, ("RESOLVE", 2 * HOUR))
    assert attainment(ask(firm, "TICKET_SLA"))[:5] == (1, 0, 0, 1, None)
    firm.agree(1, site=firm.site)
    assert attainment(ask(firm, "TICKET_SLA"))[:5] == (1, 0, 1, 0, 0)


def test_each_time_a_ticket_is_reopened_it_counts_anew(firm):
    firm.agree(4)
    firm.ticket(AT - 5 * HOUR, ("RESOLVE", HOUR), ("REOPEN", 2 * HOUR), ("ESCALATE", 6 * HOUR), ("RESOLVE", 7 * HOUR))
    assert attainment(ask(firm, "TICKET_SLA")) == (2, 1, 1, 0, Decimal("0.5"), 180.0, 0, 0)  # 1 and 5 hours


def test_a_day_on_which_clocks_go_forward_counts_real_time(db):
    firm = Firm("berlin", zone="Europe/Berlin")
    firm.agree(3)
    night = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)  # 00:30; at 02:00 it becomes 03:00
    firm.ticket(night, ("RESOLVE", 3 * HOUR))  # at 04:30
    window = Window(start=night - HOUR / 2, end=night + 22.5 * HOUR)
    assert attainment(ask(firm, "TICKET_SLA", window=window))[:3] == (1, 1, 0)


def test_assets_are_told_as_they_stand_with_what_happened_to_them(firm):
    spare = Asset.objects.create(site=firm.add_site("S0"), code="G1", name="Generator", status="STANDBY")
    firm.ticket(AT, asset=firm.asset)
    firm.ticket(START - DAY, ("HOLD", HOUR), asset=firm.asset)
    firm.ticket(AT, ("RESOLVE", HOUR), asset=firm.asset)
    service = firm.job("PPM", asset=firm.asset)
    for planned_at, status in ((AT - DAY, "COMPLETED"), (AT, "COMPLETED"), (NOW + DAY, "ASSIGNED")):
        firm.occurrence(service, planned_at, status)
    content = ask(firm, "ASSET_STATUS")
    assert rows_of(content) == [
        ("S0", "G1", "Generator", "STANDBY", 0, 0, None, None),
        ("S1", "P1", "Pump", "WORKING", 2, 2, AT + 10 * MINUTE, NOW + DAY),
    ]
    assert bars(content) == {"S0": (0, 0, 1, 0), "S1": (1, 0, 0, 0)}
    assert dict(content.totals) == {"Assets": "2", "Working": "1", "Standby": "1"}
    assert dict(content.facts)["Status of the assets"] == "as of Wed 25 Nov 2026 00:05 (Asia/Kolkata)"
    assert [row[1] for row in rows_of(ask(firm, "ASSET_STATUS", statuses=["STANDBY"]))] == [spare.code]
    assert ask(firm, "ASSET_STATUS", site=firm.site).chart is None


def test_visits_are_site_reports_that_were_completed_by_the_days_of_the_site(firm):
    berlin = firm.add_site("B1", "Berlin", zone="Europe/Berlin")
    three_days = Window(start=MIDNIGHT - 3 * DAY, end=MIDNIGHT)
    here, there = firm.job("SITE_REPORT"), firm.job("SITE_REPORT", site=berlin)
    for planned_at, status in ((AT, "COMPLETED"), (AT + HOUR, "COMPLETED"), (AT - 2 * DAY, "AUTO_CLOSED")):
        firm.occurrence(here, planned_at, status)
    firm.occurrence(here, START - 4 * DAY, "COMPLETED", done_after=2 * DAY)  # done in the window
    firm.occurrence(firm.job(), AT, "COMPLETED")  # a task is no visit
    # 23:50 and 00:10 in Berlin are of two days there, and of one in Kolkata.
    before, after = (datetime(2026, 11, 23, hour, minute, tzinfo=UTC) for hour, minute in ((22, 50), (23, 10)))
    for performed_at in (before, after):
        firm.occurrence(there, performed_at - 10 * MINUTE, "COMPLETED")
    content = ask(firm, "SITE_VISIT", window=three_days)
    assert rows_of(content) == [
        # The window has parts of four days in Berlin.
        ("B1", "Berlin", 2, 2, 0, 2, 2, before, after),
        ("S1", "North gate", 3, 3, 1, 2, 1, START - 2 * DAY, AT + HOUR + 10 * MINUTE),
    ]
    assert bars(content) == {"S1": (3, 1), "B1": (2, 0)}
    assert dict(content.totals) == {"Visits": "5", "Sites without a visit": "0", "Planned visits missed": "1"}
    assert [row[0] for row in rows_of(ask(firm, "SITE_VISIT", window=three_days, site=berlin))] == ["B1"]
