"""Who is told what, and how often."""

import smtplib
from collections.abc import Callable
from email import message_from_bytes, policy

import pytest
from django.core.mail import EmailMessage, get_connection
from django.db import transaction

from apps.core import context
from apps.core.mail import message_id
from apps.helpdesk import services, tasks
from apps.helpdesk.models import Ticket, TicketHistory

from .desk import HOUR, MONDAY, Desk, escalations, level_of

MailsOf = Callable[[Callable[[], object]], list[EmailMessage]]


def test_an_escalation_tells_creator_new_assignee_and_the_rules_addresses(
    desk: Desk, sweep, mails_of: MailsOf
) -> None:
    desk.rule(assign_person=desk.lead, extra_emails=["board@acme.example", "ASHA@acme.example", "broken"])
    ticket = desk.ticket()
    (mail,) = mails_of(lambda: sweep(MONDAY + HOUR))
    assert mail.subject == f"Escalation level 1: ticket {ticket.number}"
    assert mail.to == ["ASHA@acme.example", "chandra@acme.example", "board@acme.example"]


def test_every_active_member_of_a_group_is_told(desk: Desk, sweep, mails_of: MailsOf) -> None:
    absent = desk.add_person("Dilip", is_active=False)
    unreachable = desk.add_person("Esha", email="")
    desk.rule(assign_group=desk.add_group(desk.guard, desk.lead, absent, unreachable))
    desk.ticket()
    (mail,) = mails_of(lambda: sweep(MONDAY + HOUR))
    assert mail.to == ["asha@acme.example", "bela@acme.example", "chandra@acme.example"]


def test_with_nobody_named_the_present_assignee_is_told(desk: Desk, sweep, mails_of: MailsOf) -> None:
    desk.rule()
    desk.ticket()
    (mail,) = mails_of(lambda: sweep(MONDAY + HOUR))
    assert mail.to == ["asha@acme.example", "bela@acme.example"]


def test_with_nobody_to_tell_the_escalation_stands(desk: Desk, sweep, mails_of: MailsOf) -> None:
    desk.rule()
    ticket = desk.ticket(creator_id=None, assignee_person_id=None)
    assert mails_of(lambda: sweep(MONDAY + HOUR)) == []
    assert level_of(ticket) == 1


def test_all_times_are_the_sites_and_name_its_zone(desk: Desk, sweep, mails_of: MailsOf) -> None:
    desk.rule(level=1)
    desk.rule(level=2, value=3)
    desk.ticket()
    (mail,) = mails_of(lambda: sweep(MONDAY + HOUR))
    assert "reached escalation level 1 on Mon 23 Nov 2026 18:30 (Asia/Kolkata)" in mail.body
    assert "Raised: Mon 23 Nov 2026 17:30 (Asia/Kolkata)" in mail.body
    assert "Next escalation: Mon 23 Nov 2026 21:30 (Asia/Kolkata)" in mail.body
    assert "UTC" not in mail.body


def test_each_change_of_state_is_told_once_with_an_id_of_its_own(desk: Desk, mails_of: MailsOf) -> None:
    (raised,) = mails_of(desk.ticket)
    ticket = TicketHistory.objects.get().ticket
    mails = [raised]
    for action in ("OPEN", "HOLD", "RESUME", "RESOLVE", "CLOSE", "REOPEN"):
        mails += mails_of(lambda action=action: desk.change(ticket, action, MONDAY))
    mails += mails_of(lambda: services.assign(ticket.pk, person_id=desk.lead.pk, who="Asha", now=MONDAY))
    assert [mail.subject.removeprefix(f"Ticket {ticket.number}: ") for mail in mails] == [
        "raised",
        "taken in hand",
        "put on hold",
        "taken up again",
        "resolved",
        "closed",
        "reopened",
        "assigned",
    ]
    assert len({mail.extra_headers["Message-ID"] for mail in mails}) == len(mails)


def test_a_mail_says_what_was_so_when_it_happened(desk: Desk, mails_of: MailsOf) -> None:
    def change_twice() -> None:
        ticket = desk.ticket()
        desk.change(ticket, "HOLD", MONDAY)
        desk.change(ticket, "RESUME", MONDAY + HOUR)

    mails = mails_of(change_twice)  # all are written after the last change
    statuses = [line for mail in mails for line in mail.body.splitlines() if line.startswith("Status: ")]
    assert statuses == ["Status: NEW", "Status: ON_HOLD", "Status: OPEN"]


def test_a_change_that_is_rolled_back_tells_nobody(desk: Desk, mails_of: MailsOf) -> None:
    def undo() -> None:
        with transaction.atomic():
            desk.ticket()
            transaction.set_rollback(True)

    assert mails_of(undo) == []


def test_a_job_that_is_delivered_twice_sends_once(
    desk: Desk, sweep, mails_of: MailsOf, mailoutbox, forget_keys
) -> None:
    desk.rule()
    ticket = desk.ticket()
    assert len(mails_of(lambda: sweep(MONDAY + HOUR))) == 1
    assert deliver_escalation(desk, ticket) == {"recipients": 2}  # the first one's answer
    forget_keys()  # then the database is the guard
    assert deliver_escalation(desk, ticket) == {"recipients": 0}
    assert len(mailoutbox) == 1
    assert escalations(ticket)[0].mailed_at is not None


def test_a_change_whose_job_comes_twice_is_told_once(desk: Desk, mails_of: MailsOf, mailoutbox, forget_keys) -> None:
    assert len(mails_of(desk.ticket)) == 1
    change = TicketHistory.objects.get(action="RAISE")
    with context.using(tenant_id=desk.tenant.pk):
        again = tasks.send_ticket_email.apply((change.ticket_id, change.pk))
        assert again.get() == {"recipients": 2}  # the first one's answer
        forget_keys()  # then the database is the guard
        again = tasks.send_ticket_email.apply((change.ticket_id,), {"change_id": change.pk})
        assert again.get() == {"recipients": 0}
    assert len(mailoutbox) == 1


def test_each_level_and_each_cycle_of_a_ticket_is_a_mail_of_its_own(desk: Desk, sweep, mails_of: MailsOf) -> None:
    desk.rule(level=1)
    desk.rule(level=2, value=2)
    ticket = desk.ticket()
    mails = mails_of(lambda: sweep(MONDAY + HOUR)) + mails_of(lambda: sweep(MONDAY + 4 * HOUR))
    desk.change(ticket, "RESOLVE", MONDAY + 5 * HOUR)
    desk.change(ticket, "REOPEN", MONDAY + 6 * HOUR)
    mails += mails_of(lambda: sweep(MONDAY + 7 * HOUR))
    assert [(change.cycle, change.to_level) for change in escalations(ticket)] == [(1, 1), (1, 2), (2, 1)]
    assert len({mail.extra_headers["Message-ID"] for mail in mails}) == len(mails) == 3


def test_equal_ids_of_two_tenants_do_not_answer_each_other(desk: Desk, sweep, mailoutbox) -> None:
    desk.rule()
    ticket = desk.ticket()
    sweep(MONDAY + HOUR)
    results = [deliver_escalation(whose, ticket) for whose in (desk, Desk("beta"))]
    assert results == [{"recipients": 2}, {"recipients": 0}]  # the second one ran, and found that it was told


def test_a_repeat_that_cannot_be_avoided_carries_the_same_message_id(
    desk: Desk, sweep, mails_of: MailsOf, mailoutbox, forget_keys
) -> None:
    desk.rule()
    ticket = desk.ticket()
    mails_of(lambda: sweep(MONDAY + HOUR))
    TicketHistory.objects.update(mailed_at=None)  # killed between sending and writing that down
    forget_keys()
    assert deliver_escalation(desk, ticket) == {"recipients": 2}
    assert [mail.extra_headers["Message-ID"] for mail in mailoutbox] == [
        message_id(desk.tenant.pk, ticket.pk, 1, 1)
    ] * 2


def test_while_the_mail_server_is_down_the_escalation_stands_and_the_mail_is_tried_again(
    desk: Desk, sweep, run_jobs, mailoutbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.rule()
    ticket = desk.ticket()
    run_jobs()
    mailoutbox.clear()
    answers = iter([ConnectionRefusedError("down"), smtplib.SMTPServerDisconnected("down")])
    backend = type(get_connection())
    send = backend.send_messages

    def unsteady(self, messages):
        if error := next(answers, None):
            raise error
        return send(self, messages)

    monkeypatch.setattr(backend, "send_messages", unsteady)
    assert sweep(MONDAY + HOUR)["escalated"] == 1
    (result,) = run_jobs()
    assert result.get() == {"recipients": 2}  # by the second retry
    assert next(answers, None) is None
    assert level_of(ticket) == 1
    assert len(escalations(ticket)) == 1
    assert len(mailoutbox) == 1
    assert sweep(MONDAY + HOUR) == {"at_top": 1}


def test_text_of_people_cannot_add_a_header_or_a_recipient(desk: Desk, sweep, mails_of: MailsOf) -> None:
    evil = "Door\r\nBcc: thief@evil.example\r\n\r\nHello"
    desk.rule(category=evil)
    desk.creator.name = desk.site.name = evil
    desk.creator.save()
    desk.site.save()
    mails = mails_of(lambda: desk.ticket(description=evil, category=evil, who=evil))
    mails += mails_of(lambda: sweep(MONDAY + HOUR))
    assert len(mails) == 2
    for mail in mails:
        received = message_from_bytes(mail.message().as_bytes(), policy=policy.default)
        assert received["Bcc"] is None
        assert "evil" not in str(received.items())
        assert mail.recipients() == ["asha@acme.example", "bela@acme.example"]


def deliver_escalation(whose: Desk, ticket: Ticket) -> dict[str, int]:
    """Run the job about a ticket's first escalation as a tenant's; returns its result."""
    with context.using(tenant_id=whose.tenant.pk):
        return tasks.send_escalation_email.apply((ticket.pk,), {"cycle": 1, "level": 1}).get()
