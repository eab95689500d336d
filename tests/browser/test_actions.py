"""What operators do, as they do it: a button, a page that says what would happen, a reason, and what came of it."""

import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Locator, Page, expect

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore
from apps.core.dead_letters.models import DeadLetter
from apps.core.idempotency import durable, records
from apps.core.models import OperatorAction
from apps.core.outbox import rows
from apps.core.schedules.models import Firing, ScheduleState

from ..integration.dead_letters.letters import saved as saved_letter
from ..integration.workers import Worker, eventually
from . import situation
from .conftest import PASSWORD, address, expects

WHY = f"asked for by the night shift {situation.EVIL}"
NODE = "night@test"
KEY = "test:global:7"
# Sends a form once more, as a browser does that was told to load the page anew.
AGAIN = """async ([address, sent]) => {
    const headers = { "Content-Type": "application/x-www-form-urlencoded" };
    const answer = await fetch(address, { method: "POST", body: sent, headers });
    return [answer.status, answer.url];
}"""

State = DeadLetter.State


@pytest.fixture(scope="module", autouse=True)
def night_shift(installation: None) -> Iterator[Worker]:
    """A worker that nobody has anything to do for."""
    worker = Worker("--queues=ml_training", f"--hostname={NODE}", "--pool=solo")
    situation.trouble(datetime.now(UTC), mails=6, runs=3)
    yield worker
    worker.stop()


@pytest.fixture
def store() -> MessageStore:
    return configured_store()


@pytest.fixture
def page(desk: Page) -> Page:
    return desk


def do(page: Page, link: Locator, **fields: str | bool) -> Locator:
    """Presses the button, says why, and confirms. Returns the row in the audit, as it is shown afterwards."""
    before = set(OperatorAction.objects.values_list("pk", flat=True))
    link.click()
    confirm(page, **fields)
    (row,) = OperatorAction.objects.exclude(pk__in=before)
    shown = page.get_by_role("region", name="In the audit")
    expect(shown).to_contain_text(row.action)
    expect(shown).to_contain_text(WHY)
    expect(shown).to_contain_text("admin")
    assert row.result == OperatorAction.Result.DONE
    return shown


def confirm(page: Page, **fields: str | bool) -> None:
    expect(page.get_by_role("heading", name="What will happen")).to_be_visible()
    page.get_by_label("Reason").fill(WHY)
    for name, value in fields.items():
        field = page.locator(f"[name={name}]")
        field.set_checked(value) if isinstance(value, bool) else field.fill(value)
    page.locator("#content form button[type=submit]").click()


def offered(page: Page, name: str, within: str = "#content") -> Locator:
    return page.locator(within).get_by_role("link", name=name, exact=True).first


def test_who_is_not_signed_in_signs_in_and_is_where_he_wanted_to_be(visit: Callable[..., Page]) -> None:
    page = visit("")
    expects(page, "favicon.ico")  # of the page that asks who it is, which is the admin's own
    page.goto(address("failures"))
    page.get_by_label("Username").fill("viewer")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.locator("#content h1")).to_have_text("Failures")


def test_a_queue_is_paused_and_resumed_with_keys_alone(page: Page, store: MessageStore) -> None:
    page.goto(address("queue", "reports"))
    offered(page, "Pause reports").focus()
    page.keyboard.press("Enter")
    page.get_by_label("Reason").focus()
    page.keyboard.type(WHY)
    page.keyboard.press("Tab")
    page.keyboard.type("30m")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="In the audit")).to_contain_text(WHY)
    pause = store.depths(["reports"])["reports"].pause
    assert pause is not None
    assert pause.why == f"admin: {WHY}"
    expect(page.locator("#content")).to_contain_text("‖ paused until")
    do(page, offered(page, "Resume reports"))
    assert store.depths(["reports"])["reports"].pause is None


def test_a_purge_wants_the_name_typed_and_is_taken_back(page: Page, store: MessageStore) -> None:
    page.goto(address("queue", "critical"))
    offered(page, "Purge critical").click()
    expect(page.locator("#content")).to_contain_text("Affects 3.")
    confirm(page, typed_name="critcal")
    expect(page.get_by_role("alert")).to_be_visible()
    assert store.depths(["critical"])["critical"].ready == 3
    expects(page, "409")
    confirm(page, typed_name="critical")
    expect(page.get_by_role("region", name="In the audit")).to_contain_text("3 affected of 3 expected")
    assert store.depths(["critical"])["critical"].ready == 0
    do(page, offered(page, "Restore what was purged critical"))
    assert store.depths(["critical"])["critical"].ready == 3


def test_jobs_are_selected_and_revoked(page: Page, store: MessageStore) -> None:
    page.goto(address("queue", "email"))
    page.get_by_role("checkbox").first.check()
    page.get_by_role("checkbox", name=f"Select job {situation.DEEP}").check()
    page.get_by_role("button", name="Revoke the selected").click()
    expect(page.locator("#content")).to_contain_text("Affects 2.")
    confirm(page)
    expect(page.get_by_role("region", name="In the audit")).to_contain_text("2 affected")
    assert situation.DEEP in store.revoked_since(0)
    page.goto(address("run", situation.DEEP))
    expect(page.locator("#content")).to_contain_text("revoked")


def test_a_job_is_retried_with_its_key_released(page: Page) -> None:
    letter = saved_letter("test.dl.durable", 1, headers={"bgjobs_key": KEY, "bgjobs_durable": True})
    records().claim(KEY, job="another")
    page.goto(address("run", letter.job))
    do(page, offered(page, f"Retry {letter.pk}"), release_key=True)
    letter.refresh_from_db()
    assert letter.state == State.REPLAYED
    assert records().look_up(KEY) is None
    assert not durable.table().filter(key=KEY).exists()
    assert rows.table().filter(job=letter.job).exists()


def test_a_job_is_retried_with_other_arguments(page: Page) -> None:
    letter = saved_letter("send_ticket_email", 7, 8)
    page.goto(address("run", letter.job))
    offered(page, f"Edit and retry {letter.pk}").click()
    confirm(page, arguments="[7,")
    expect(page.get_by_role("alert")).to_contain_text("not JSON")
    expects(page, "409")
    confirm(page, arguments='{"ticket_id": 7, "change_id": 9}')
    expect(page.get_by_role("region", name="In the audit")).to_contain_text("1 affected")
    letter.refresh_from_db()
    assert letter.state == State.REPLAYED
    body = json.loads(b64decode(json.loads(rows.table().get(job=letter.job).message)["body"]))
    assert body[:2] == [[], {"ticket_id": 7, "change_id": 9}]


def test_all_of_one_trouble_are_retried_and_all_of_another_discarded(page: Page) -> None:
    page.goto(address("failures"))
    of_report = page.get_by_role("row").filter(has_text=situation.BAD_REPORT)
    shown = do(page, of_report.get_by_role("link", name="Discard all"))
    expect(shown).to_contain_text("3 affected of 3 expected")
    assert set(DeadLetter.objects.filter(fingerprint=situation.BAD_REPORT).values_list("state")) == {("discarded",)}
    of_mail = page.get_by_role("row").filter(has_text=situation.MAIL_DOWN)
    expect(do(page, of_mail.get_by_role("link", name="Retry all"), rate="50")).to_contain_text("12 affected")
    assert set(DeadLetter.objects.filter(fingerprint=situation.MAIL_DOWN).values_list("state")) == {("replayed",)}


def test_a_task_is_fused_and_let_go_on(page: Page, store: MessageStore) -> None:
    page.goto(address("failures"))
    of_mail = page.get_by_role("row").filter(has_text=situation.MAIL_DOWN)
    do(page, of_mail.get_by_role("link", name="Fuse this task"), span="45m")
    assert "send_reminder_email" in store.fuses()
    page.goto(address("changelist"))
    of_fuse = page.get_by_role("listitem").filter(has_text="Jobs of send_reminder_email do not start")
    do(page, of_fuse.get_by_role("link", name="Let this task go on"))
    assert "send_reminder_email" not in store.fuses()


def test_a_key_is_released(page: Page) -> None:
    page.goto(address("idempotency"))
    page.keyboard.press("/")
    page.keyboard.type(situation.HELD_KEY)
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_contain_text(situation.DONE)
    do(page, offered(page, f"Release the key {situation.HELD_KEY}"))
    assert records().look_up(situation.HELD_KEY) is None
    expect(page.locator("#content")).to_contain_text("Nobody holds this key")


def test_an_entry_is_paused_and_resumed_and_fired(page: Page) -> None:
    page.goto(address("schedules"))
    do(page, offered(page, "Pause auto_close_jobs"), span="2h")
    assert ScheduleState.objects.get(name="auto_close_jobs").paused_why == WHY
    do(page, offered(page, "Resume auto_close_jobs"))
    assert not ScheduleState.objects.get(name="auto_close_jobs").is_paused(datetime.now(UTC))
    do(page, offered(page, "Run now auto_close_jobs"))
    assert Firing.objects.filter(entry="auto_close_jobs", manual=True).count() == 1


def test_what_is_confirmed_twice_is_done_once(page: Page) -> None:
    before = OperatorAction.objects.count()
    page.goto(address("schedules"))
    offered(page, "Run now ticket_escalation").click()
    page.get_by_label("Reason").fill(WHY)
    sent = page.evaluate("new URLSearchParams(new FormData(document.querySelector('#content form'))).toString()")
    where = page.url.partition("?")[0]
    page.get_by_role("button", name="Run now").dblclick()
    expect(page.get_by_role("region", name="In the audit")).to_contain_text("fire-entry")
    again = page.evaluate(AGAIN, [where, sent])
    assert again == [200, page.url]  # the same row is shown
    assert OperatorAction.objects.count() == before + 1
    assert Firing.objects.filter(entry="ticket_escalation", manual=True).count() == 1


def test_arguments_are_shown_once_and_as_texts(page: Page) -> None:
    letter = saved_letter("send_ticket_email", situation.EVIL, 8)
    page.goto(address("run", letter.job))
    offered(page, f"Show the arguments {letter.job}").click()
    confirm(page)
    expect(page.locator("#content pre").first).to_contain_text(situation.EVIL)
    page.reload()
    expect(page.locator("#content")).to_contain_text("They cannot be shown")


def test_a_worker_is_quieted_and_stopped(page: Page, night_shift: Worker) -> None:
    eventually(lambda: any(" ready." in line for line in night_shift.lines))
    situation.forget()
    page.goto(address("workers"))
    do(page, offered(page, f"Quiet {NODE}"))
    do(page, offered(page, f"Stop {NODE}"))
    eventually(lambda: night_shift.process.poll() is not None)


def test_everything_that_was_done_stands_in_the_audit(page: Page) -> None:
    page.goto(address("audit"))
    page.locator("[name=actor]").fill("admin")
    page.get_by_role("button", name="Filter").click()
    rows_of_admin = OperatorAction.objects.filter(actor="admin").count()
    assert rows_of_admin > 0
    expect(page.locator("#content tbody tr")).to_have_count(rows_of_admin)
    assert page.locator("#content img").count() == 0


@pytest.mark.parametrize("where", ["changelist", "failures", "schedules", "workers"])
def test_a_viewer_is_offered_nothing(visit: Callable[..., Page], where: str) -> None:
    page = visit("viewer")
    page.goto(address(where))
    assert page.locator("#content a[href*='/actions/'], #content button:not([data-shortcuts])").count() == 0


def test_a_viewer_who_knows_the_address_is_told_which_permission_is_missing(visit: Callable[..., Page]) -> None:
    page = visit("viewer")
    expects(page, "403")
    page.goto(f"{address('action', 'pause')}?queue=email")
    expect(page.locator("#content h1")).to_have_text("Not for you")
    expect(page.locator("#content")).to_contain_text("bgjobs.pause_queue")
