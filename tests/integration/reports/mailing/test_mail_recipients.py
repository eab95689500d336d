"""A tenant's report reaches that tenant's addresses only."""

import pytest
from django.core.exceptions import ValidationError

from apps.organization.models import Person, Site
from apps.reports.recipients import recipients

from .agency import Agency, reason, statuses

pytestmark = pytest.mark.django_db
KELVIN = "\N{KELVIN SIGN}"  # its lower case is an ordinary k


def test_people_and_those_in_charge_of_sites_are_the_tenants_addresses(agency) -> None:
    found = recipients(agency.tenant.pk, ["rita@acme.example", "gate@acme.example"], ["ada@acme.example"])
    assert (found.to, found.cc, found.dropped) == (
        ("gate@acme.example", "rita@acme.example"),
        ("ada@acme.example",),
        0,
    )


def test_other_tenants_strangers_and_who_has_left_are_dropped(agency) -> None:
    other = Agency("other")
    agency.person("gone", is_active=False)
    asked = ["rita@acme.example", "gone@acme.example", "stranger@acme.example"]
    asked += [other.reader.email, *other.site.in_charge]
    found = recipients(agency.tenant.pk, asked, ["boss@elsewhere.example"])
    assert (found.all, found.dropped) == (("rita@acme.example",), 5)


def test_nobody_gets_a_mail_twice_whatever_the_case_and_wherever_named(agency) -> None:
    found = recipients(agency.tenant.pk, ["RITA@acme.example", "rita@ACME.example"], ["Rita@acme.example"])
    assert (found.to, found.cc, found.dropped) == (("rita@acme.example",), (), 0)


def test_a_look_alike_never_gets_the_mail(agency, mail_server, mail_due) -> None:
    """Two addresses that fold to one form are two mailboxes; the mail goes to the one that the tenant keeps."""
    agency.person("kim")
    agency.report(agency.schedule(to=[f"{KELVIN}im@acme.example"]))
    mail_due()
    assert [mail.recipients for mail in mail_server.received] == [("kim@acme.example",)]


def test_addresses_of_others_are_left_out_counted_and_the_rest_gets_the_report(
    agency, mail_server, mail_due, caplog
) -> None:
    report = agency.report(agency.schedule(to=["rita@acme.example", "rita@other.example"]))
    assert mail_due() == {"found": 1, "sent": 1, "mails": 1, "dropped": 1}
    assert mail_server.received[0].recipients == ("rita@acme.example",)
    assert statuses(report) == ["SENT"]
    assert "report.recipients_dropped" in caplog.text


def test_a_report_without_a_recipient_of_the_tenant_fails(agency, mail_server, mail_due) -> None:
    foreign, nobody, left = (
        agency.report(agency.schedule(to=to)) for to in (["x@y.example"], [], ["rita@acme.example"])
    )
    Person.objects.filter(pk=agency.reader.pk).update(is_active=False)  # since the schedule was made
    assert mail_due() == {"found": 3, "failed": 3}
    assert statuses(foreign, nobody, left) == ["FAILED"] * 3
    assert reason(foreign) == reason(left) == "None of its recipients is of this tenant's people or sites."
    assert reason(nobody) == "It has no recipients."


def test_copies_alone_are_addressed_to_their_recipients(agency, mail_server, mail_due) -> None:
    agency.report(agency.schedule(to=["x@y.example"], cc=["rita@acme.example"]))
    assert mail_due()["sent"] == 1
    assert mail_server.received[0].message["To"] == "rita@acme.example"
    assert mail_server.received[0].message["Cc"] is None


def test_what_is_kept_as_an_address_and_is_none_is_no_recipient(agency) -> None:
    Site.objects.filter(pk=agency.site.pk).update(in_charge=["nonsense", "a@b.example\nBcc: x@y.example"])
    found = recipients(agency.tenant.pk, ["nonsense", "a@b.example\nBcc: x@y.example"], [])
    assert (found.all, found.dropped) == ((), 2)


def test_a_schedule_with_others_addresses_is_refused_by_position_and_without_quoting_them(agency) -> None:
    schedule = agency.schedule(to=["rita@acme.example", "x@y.example", "ada@acme.example", "z@y.example"])
    schedule.cc = ["q@y.example"]
    with pytest.raises(ValidationError) as refused:
        schedule.full_clean()
    assert refused.value.message_dict["to"][0].startswith("No. 2, 4: not the address of an active person")
    assert refused.value.message_dict["cc"][0].startswith("No. 1: ")
    assert "y.example" not in str(refused.value)


def test_a_schedule_with_the_tenants_addresses_is_accepted(agency) -> None:
    agency.schedule(to=["Rita@acme.example"], cc=["gate@acme.example"]).full_clean()
