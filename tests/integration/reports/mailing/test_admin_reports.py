"""The admin of schedules and reports: what people see, may do, and are told."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.core.models import OutboxMessage
from apps.organization.models import Tenant
from apps.reports.models import GeneratedReport, ReportSchedule

from .agency import CONTENT, NOW, Agency

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]
SCHEDULES = reverse("admin:reports_reportschedule_changelist")
REPORTS = reverse("admin:reports_generatedreport_changelist")
ADD = reverse("admin:reports_reportschedule_add")


@pytest.fixture
def clerk(agency: Agency, client: Client) -> Client:
    """Signed in as a person of the tenant, with all permissions of reports."""
    return sign_in(client, agency)


def sign_in(client: Client, agency: Agency, *codenames: str) -> Client:
    user = User.objects.create_user(f"clerk-{agency.slug}", is_staff=True)
    allowed = Permission.objects.filter(content_type__app_label__in=["reports", "organization"])
    user.user_permissions.set(allowed.filter(codename__in=codenames) if codenames else allowed)
    agency.person("clerk", user=user)
    client.force_login(user)
    return client


def page_of(report: GeneratedReport, page: str = "change") -> str:
    return reverse(f"admin:reports_generatedreport_{page}", args=[report.pk])


def form(agency: Agency, **changes: Any) -> dict[str, Any]:
    fields = {
        "tenant": agency.tenant.pk,
        "site": "",
        "owner": "",
        "type": "TICKET_LIST",
        "name": "Daily tickets",
        "cron": "0 0 * * *",
        "timezone": "Asia/Kolkata",
        "working_days": "",
        "send_at": "07:00",
        "to": "rita@acme.example, gate@acme.example",
        "cc": "",
        "format": "PDF",
        "parameters": "{}",
        "enabled": "on",
    }
    return {**fields, **changes}


def errors(answer: Any) -> dict[str, list[str]]:
    assert answer.status_code == 200
    return dict(answer.context["adminform"].form.errors)


def test_a_schedule_is_made_here_and_knows_when_it_is_due(agency, clerk) -> None:
    assert clerk.post(ADD, form(agency)).status_code == 302
    schedule = ReportSchedule.objects.get()
    assert schedule.to == ["rita@acme.example", "gate@acme.example"]
    assert schedule.next_run_at is not None
    page = clerk.get(reverse("admin:reports_reportschedule_change", args=[schedule.pk])).content.decode()
    assert "00:00 (Asia/Kolkata)" in page


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"cron": "every day"}, "cron", "five fields"),
        ({"cron": "0 25 * * *"}, "cron", "Bad hour"),
        ({"cron": "0 0 31 2 *"}, "cron", "Bad day-of-month"),
        ({"cron": "0 0 0 * * *"}, "cron", "five fields"),
        ({"timezone": "Asia/Calcuta"}, "timezone", "is not an IANA time zone"),
        ({"timezone": "../../etc/passwd"}, "timezone", "is not an IANA time zone"),
        ({"to": "rita@acme.example, x@y.example"}, "to", "No. 2: not the address of an active person"),
        ({"cc": "x@y.example"}, "cc", "No. 1: not the address"),
        ({"to": "nobody"}, "to", "valid email"),
        ({"to": ""}, "to", "required"),
        ({"parameters": "{"}, "parameters", "valid JSON"),
        ({"type": "EVERYTHING"}, "type", "not one of the available"),
    ],
)
def test_what_cannot_work_is_refused_with_words_that_say_why(agency, clerk, changes, field, said) -> None:
    found = errors(clerk.post(ADD, form(agency, **changes)))
    assert list(found) == [field]
    assert said in found[field][0]
    assert not ReportSchedule.objects.exists()


def test_nothing_of_another_tenant_can_be_chosen(agency, clerk) -> None:
    other = Agency("other")
    for changes in ({"tenant": other.tenant.pk}, {"site": other.site.pk}, {"owner": other.reader.pk}):
        assert errors(clerk.post(ADD, form(agency, **changes)))
    assert not ReportSchedule.objects.exists()


def test_a_changed_rhythm_is_due_by_the_new_one_and_other_changes_leave_it_alone(agency, clerk) -> None:
    schedule = agency.schedule(format="PDF", to=["rita@acme.example", "gate@acme.example"])
    ReportSchedule.objects.update(next_run_at=NOW, failures=2)
    address = reverse("admin:reports_reportschedule_change", args=[schedule.pk])
    assert clerk.post(address, form(agency, name="Renamed")).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.name, schedule.next_run_at, schedule.failures) == ("Renamed", NOW, 2)
    assert clerk.post(address, form(agency, name="Renamed", cron="30 6 * * *")).status_code == 302
    schedule.refresh_from_db()
    assert schedule.next_run_at != NOW
    assert (schedule.next_run_at.hour, schedule.next_run_at.minute, schedule.failures) == (1, 0, 0)


def test_a_schedule_that_is_enabled_again_begins_anew(agency, clerk) -> None:
    schedule = agency.schedule(format="PDF", to=["rita@acme.example", "gate@acme.example"], enabled=False)
    ReportSchedule.objects.update(next_run_at=NOW - timedelta(days=400), failures=3)
    address = reverse("admin:reports_reportschedule_change", args=[schedule.pk])
    assert clerk.post(address, form(agency)).status_code == 302
    schedule.refresh_from_db()
    assert schedule.enabled
    assert schedule.failures == 0
    assert schedule.next_run_at > NOW - timedelta(days=400)


def test_run_now_enqueues_a_report_of_each_chosen_schedule_for_its_tenant(agency, clerk) -> None:
    schedules = [agency.schedule(), agency.schedule(name="Weekly", working_days=5)]
    fields = {"action": "run_now", "_selected_action": [schedule.pk for schedule in schedules]}
    text = clerk.post(SCHEDULES, fields, follow=True).content.decode()
    assert "2 reports are being made." in text
    assert list(OutboxMessage.objects.values_list("task", "queue")) == [("run_report_now", "reports")] * 2
    assert all(f'"bgjobs_tenant": "{agency.tenant.pk}"' in row.message for row in OutboxMessage.objects.all())


def test_run_now_says_which_schedules_cannot_be_run(agency, clerk) -> None:
    broken = agency.schedule(name="Broken", cron="nonsense")
    text = clerk.post(SCHEDULES, {"action": "run_now", "_selected_action": [broken.pk]}, follow=True).content.decode()
    assert "Broken: A cron text has five fields" in text
    assert "0 reports are being made." in text
    Tenant.objects.update(is_active=False)
    text = clerk.post(SCHEDULES, {"action": "run_now", "_selected_action": [broken.pk]}, follow=True).content.decode()
    assert "Broken: its tenant is not active." in text
    assert not OutboxMessage.objects.exists()


def test_run_now_needs_its_own_permission(agency, client) -> None:
    sign_in(client, agency, "view_reportschedule", "change_reportschedule")
    schedule = agency.schedule()
    assert "run_now" not in client.get(SCHEDULES).content.decode()
    client.post(SCHEDULES, {"action": "run_now", "_selected_action": [schedule.pk]}, follow=True)
    assert not OutboxMessage.objects.exists()


def test_run_now_reaches_no_schedule_of_another_tenant(agency, clerk) -> None:
    foreign = Agency("other").schedule()
    clerk.post(SCHEDULES, {"action": "run_now", "_selected_action": [foreign.pk]}, follow=True)
    assert not OutboxMessage.objects.exists()


def test_reports_that_failed_or_expired_can_be_mailed_again(agency, clerk) -> None:
    failed, expired = (agency.report(status=status, reason="It failed.") for status in ("FAILED", "EXPIRED"))
    sent, without_a_file = agency.report(status="SENT"), agency.report(status="FAILED")
    type(sent).objects.filter(pk=without_a_file.pk).update(file="")
    foreign = Agency("other").report(status="FAILED")
    chosen = [report.pk for report in (failed, expired, sent, without_a_file, foreign)]
    text = clerk.post(REPORTS, {"action": "mail_again", "_selected_action": chosen}, follow=True).content.decode()
    assert "2 reports are mailed when the next ones are." in text
    for report in (failed, expired, sent, without_a_file, foreign):
        report.refresh_from_db()
    assert [report.status for report in (failed, expired)] == ["READY", "READY"]
    assert failed.reason == ""
    assert failed.send_at > NOW - timedelta(days=400)
    assert [report.status for report in (sent, without_a_file, foreign)] == ["SENT", "FAILED", "FAILED"]


def test_mailing_again_needs_its_own_permission(agency, client) -> None:
    sign_in(client, agency, "view_generatedreport")
    failed = agency.report(status="FAILED")
    client.post(REPORTS, {"action": "mail_again", "_selected_action": [failed.pk]}, follow=True)
    failed.refresh_from_db()
    assert failed.status == "FAILED"


def test_reports_are_listed_with_their_window_in_the_schedules_zone(agency, clerk) -> None:
    report = agency.report(size=1536, reason="The <b>server</b> refused it (550).", status="FAILED")
    text = clerk.get(REPORTS).content.decode()
    assert "Sun 22 Nov 2026 (Asia/Kolkata)" in text
    assert "1.5\xa0KB" in text
    assert "The &lt;b&gt;server&lt;/b&gt; refused it (550)." in text
    assert page_of(report, "download") in text
    page = clerk.get(page_of(report)).content.decode()
    assert "Mon 23 Nov 2026 17:00 (Asia/Kolkata)" in page
    assert "nobody yet" in page


def test_lists_show_the_own_tenants_rows_only_and_can_be_searched(agency, clerk) -> None:
    own, foreign = agency.report(), Agency("other").report()
    assert list(clerk.get(REPORTS).context["cl"].result_list) == [own]
    assert list(clerk.get(SCHEDULES).context["cl"].result_list) == [own.schedule]
    assert clerk.get(REPORTS, {"q": "nothing"}).context["cl"].result_count == 0
    assert clerk.get(REPORTS, {"q": "tickets", "status__exact": "READY"}).context["cl"].result_count == 1
    for page, code in (("change", 302), ("download", 404), ("preview", 404)):
        assert clerk.get(page_of(foreign, page)).status_code == code


@pytest.mark.parametrize("address", [REPORTS, SCHEDULES])
def test_lists_cost_the_same_number_of_queries_for_many_rows(
    agency, clerk, django_assert_max_num_queries, address
) -> None:
    for number in range(15):
        agency.report(agency.schedule(name=f"No. {number}", site=agency.site, owner=agency.reader))
    with django_assert_max_num_queries(17):
        clerk.get(address)


def test_reports_can_only_be_read_here(agency, clerk) -> None:
    report = agency.report()
    assert clerk.get(reverse("admin:reports_generatedreport_add")).status_code == 403
    assert clerk.post(page_of(report), {"status": "SENT"}).status_code == 403
    assert clerk.post(page_of(report, "delete"), {"post": "yes"}).status_code == 403
    assert "delete_selected" not in clerk.get(REPORTS).content.decode()


def test_who_may_see_a_report_can_download_it(agency, clerk) -> None:
    for status in ("READY", "SENT", "EXPIRED", "FAILED"):
        report = agency.report(status=status)
        got = clerk.get(page_of(report, "download"))
        assert b"".join(got.streaming_content) == CONTENT
        assert got["Content-Disposition"].startswith("attachment; ")
        assert "no-store" in got["Cache-Control"]
        assert got["X-Content-Type-Options"] == "nosniff"


def test_who_may_not_see_reports_gets_none(agency, client) -> None:
    report = agency.report(agency.schedule(format="HTML"))
    pages = [page_of(report, page) for page in ("change", "download", "preview")]
    for address in pages:
        assert client.get(address).status_code == 302  # to the login
    sign_in(client, agency, "view_reportschedule")
    for address in pages:
        assert client.get(address).status_code == 403


def test_html_is_shown_in_a_frame_without_any_rights(agency, clerk) -> None:
    report = agency.report(agency.schedule(format="HTML"), content=b"<script>alert(1)</script>Hello")
    page = clerk.get(page_of(report)).content.decode()
    assert '<iframe sandbox referrerpolicy="no-referrer"' in page
    assert f'src="{page_of(report, "preview")}"' in page
    shown = clerk.get(page_of(report, "preview"))
    assert b"".join(shown.streaming_content).endswith(b"Hello")
    assert shown["Content-Type"] == "text/html; charset=utf-8"
    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert shown["Content-Disposition"].startswith("inline; ")
    policy = [part.strip() for part in shown["Content-Security-Policy"].split(";")]
    assert {"default-src 'none'", "sandbox", "frame-ancestors 'self'", "form-action 'none'"} <= set(policy)
    assert "script-src" not in shown["Content-Security-Policy"]


def test_other_formats_have_no_preview(agency, clerk) -> None:
    report = agency.report()
    assert "<iframe" not in clerk.get(page_of(report)).content.decode()
    assert clerk.get(page_of(report, "preview")).status_code == 404


def test_a_file_that_is_gone_is_not_found(agency, clerk, reports_root) -> None:
    report = agency.report(agency.schedule(format="HTML"))
    (reports_root / report.file).unlink()
    assert [clerk.get(page_of(report, page)).status_code for page in ("download", "preview")] == [404, 404]
    GeneratedReport.objects.update(file="")
    page = clerk.get(page_of(report)).content.decode()
    assert "Download" not in page
    assert "<iframe" not in page


def test_a_schedule_with_reports_is_disabled_and_not_deleted(agency, clerk) -> None:
    """Else the reports would go with it, and nobody could say any more who got what."""
    schedule = agency.report().schedule
    clerk.post(reverse("admin:reports_reportschedule_delete", args=[schedule.pk]), {"post": "yes"})
    assert ReportSchedule.objects.filter(pk=schedule.pk).exists()
