"""Actions in two steps: what would happen, and the deed with its reason, once, with its row in the audit."""

import json
import re
import uuid
from html import escape
from typing import Any

import pytest
import redis
from django.test import Client
from django.utils.http import urlencode

from apps.core.broker.configured import configured_store
from apps.core.broker.store import MessageStore
from apps.core.dead_letters.models import DeadLetter
from apps.core.idempotency import records
from apps.core.models import OperatorAction
from apps.core.operating import workers as operating_workers
from apps.core.schedules.models import Firing, ScheduleState

from ..broker.trial import text_of
from ..dead_letters.letters import saved as saved_letter
from .outages import broker_down
from .visitors import address, visitor

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("server"),
    pytest.mark.filterwarnings("ignore:No directory at"),
]

WHY = "the mail server is down"
TASK = "send_ticket_email"


@pytest.fixture
def admin() -> Client:
    return visitor("Jobs admin")


@pytest.fixture
def store(server: redis.Redis) -> MessageStore:
    return configured_store()


def asked(client: Client, name: str, **target: Any) -> Any:
    """The first step."""
    return client.get(f"{address('action', name)}?{urlencode(target, doseq=True)}")


def done(client: Client, name: str, *, follow: bool = True, **given: Any) -> Any:
    """The second step, as the form of the first would send it."""
    sent = {"request_id": str(uuid.uuid4()), "reason": WHY} | given
    return client.post(address("action", name), sent, follow=follow)


def row() -> OperatorAction:
    return OperatorAction.objects.get()


def test_the_first_step_says_what_would_happen_and_does_nothing(admin: Client, store: MessageStore) -> None:
    for _ in range(3):
        store.publish("email", "email", text_of("work", queue="email"))
    response = asked(admin, "purge", queue="email")
    html = response.content.decode()
    assert response.status_code == 200
    assert "Affects 3." in html
    assert "Type the name of the queue" in html
    assert re.search(r'name="request_id" value="[0-9a-f-]{36}"', html)
    assert not OperatorAction.objects.exists()
    assert store.depths(["email"])["email"].ready == 3


def test_a_pause_leads_back_to_where_it_was_asked_for_and_shows_its_row(admin: Client, store: MessageStore) -> None:
    response = done(admin, "pause", queue="email", span="30m", back=address("queue", "email"))
    assert response.redirect_chain == [(f"{address('queue', 'email')}?done={row().pk}", 302)]
    html = response.content.decode()
    assert "In the audit" in html
    assert WHY in html
    assert "email is paused until" in html
    pause = store.depths(["email"])["email"].pause
    assert pause is not None
    assert pause.until is not None
    assert pause.why == f"{row().actor}: {WHY}"
    done(admin, "resume", queue="email")
    assert store.depths(["email"])["email"].pause is None


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example/x", "/admin/", "/admin/monitoring/celery/\\x#"]
)
def test_nobody_is_led_to_another_place(admin: Client, back: str) -> None:
    response = done(admin, "resume", queue="email", back=back, follow=False)
    assert response.headers["Location"].startswith(f"{address('changelist')}?done=")
    assert (
        f'name="back" value="{escape(back)}"' not in asked(admin, "resume", queue="email", back=back).content.decode()
    )


def test_the_same_request_acts_once(admin: Client, store: MessageStore) -> None:
    request_id = str(uuid.uuid4())
    for _ in range(2):
        store.publish("email", "email", text_of("work", queue="email"))
        assert done(admin, "purge", queue="email", typed_name="email", request_id=request_id).status_code == 200
    assert row().affected == 1
    assert store.depths(["email"])["email"].ready == 1


def test_without_a_reason_nothing_happens(admin: Client, store: MessageStore) -> None:
    for reason in ("", "   ", "x" * 2001):
        response = done(admin, "pause", queue="email", reason=reason)
        assert response.status_code == 400
        assert 'role="alert"' in response.content.decode()
    assert done(admin, "pause", queue="email", request_id="1").status_code == 400
    assert done(admin, "pause", queue="email", span="a while").status_code == 400
    assert not OperatorAction.objects.exists()
    assert store.depths(["email"])["email"].pause is None


@pytest.mark.parametrize("name", ["pause", "resume", "purge", "restore"])
def test_an_unknown_queue_is_refused_in_a_sentence(admin: Client, name: str) -> None:
    for response in (asked(admin, name, queue="emial"), done(admin, name, queue="emial", typed_name="emial")):
        assert response.status_code == 409
        assert "did you mean &#x27;email&#x27;?" in response.content.decode()
    assert not OperatorAction.objects.exists()


def test_an_unknown_action_is_no_page(admin: Client) -> None:
    response = asked(admin, "paus")
    assert response.status_code == 404
    assert "did you mean &#x27;pause&#x27;?" in response.content.decode()


def test_a_purge_wants_the_name_typed_and_can_be_taken_back(admin: Client, store: MessageStore) -> None:
    store.publish("email", "email", text_of("work", queue="email"))
    assert done(admin, "purge", queue="email", typed_name="emial").status_code == 409
    assert store.depths(["email"])["email"].ready == 1
    assert "1 jobs of email are set aside" in done(admin, "purge", queue="email", typed_name="email").content.decode()
    assert store.depths(["email"])["email"].ready == 0
    assert "1 jobs are back in email" in done(admin, "restore", queue="email").content.decode()
    assert store.depths(["email"])["email"].ready == 1


def test_letters_of_one_trouble_are_counted_first_and_then_retried(admin: Client) -> None:
    letters = [saved_letter(fingerprint="f00") for _ in range(3)]
    saved_letter(fingerprint="other")
    html = asked(admin, "retry", fingerprint="f00").content.decode()
    assert "Affects 3." in html
    assert letters[0].job in html
    assert "3 replayed" in done(admin, "retry", fingerprint="f00").content.decode()
    assert (row().expected, row().affected) == (3, 3)
    assert DeadLetter.objects.filter(state=DeadLetter.State.OPEN).count() == 1
    assert asked(admin, "retry", letter=letters[0].pk).status_code == 409  # it is not open any more


def test_a_selection_of_nothing_is_not_a_selection_of_all(admin: Client) -> None:
    saved_letter()
    for name in ("retry", "discard"):
        assert asked(admin, name).status_code == 409
        assert done(admin, name).status_code == 409
    assert DeadLetter.objects.get().state == DeadLetter.State.OPEN


def test_a_letter_is_discarded(admin: Client) -> None:
    letter = saved_letter()
    assert "1 discarded" in done(admin, "discard", letter=letter.pk).content.decode()
    letter.refresh_from_db()
    assert letter.state == DeadLetter.State.DISCARDED


def test_arguments_that_are_no_json_are_refused_beside_what_was_typed(admin: Client) -> None:
    letter = saved_letter()
    response = done(admin, "edit_retry", letter=letter.pk, arguments="[1,")
    assert response.status_code == 409
    assert "The arguments are not JSON" in response.content.decode()
    assert "[1," in response.content.decode()
    assert asked(admin, "edit_retry", letter="x").status_code == 409
    assert not OperatorAction.objects.exists()


def test_arguments_are_shown_once_and_the_audit_keeps_who_looked(admin: Client) -> None:
    letter = saved_letter("test.dl.work", "4711 <b>")
    html = asked(admin, "reveal", job=letter.job).content.decode()
    assert "4711" not in html
    sent = {"job": letter.job, "request_id": str(uuid.uuid4())}
    response = done(admin, "reveal", **sent)
    assert "4711 &lt;b&gt;" in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    assert "4711" not in done(admin, "reveal", **sent).content.decode()
    assert "4711" not in f"{row().target}{row().detail}"


def test_jobs_that_wait_are_selected_on_the_page_of_their_queue_and_revoked(
    admin: Client, store: MessageStore
) -> None:
    for job in ("first", "second"):
        store.publish("email", "email", text_of("work", queue="email", id=job))
    html = admin.get(address("queue", "email")).content.decode()
    assert html.index('value="first"') < html.index('value="second"')
    assert "Affects 2." in asked(admin, "revoke", job=["first", "second"]).content.decode()
    done(admin, "revoke", job=["first", "second"])
    assert set(store.revoked_since(0)) >= {"first", "second"}
    assert asked(admin, "revoke").status_code == 409


def test_an_entry_is_fired_paused_and_resumed(admin: Client) -> None:
    assert "Fired auto_close_jobs: job " in done(admin, "fire", entry="auto_close_jobs").content.decode()
    assert Firing.objects.get().manual
    done(admin, "pause_entry", entry="auto_close_jobs", span="2h")
    state = ScheduleState.objects.get(name="auto_close_jobs")
    assert state.paused_why == WHY
    assert state.paused_until is not None
    assert "auto_close_jobs goes on." in done(admin, "resume_entry", entry="auto_close_jobs").content.decode()
    assert asked(admin, "fire", entry="auto_close").status_code == 409


def test_a_task_is_fused_for_a_while_and_let_go_on(admin: Client, store: MessageStore) -> None:
    assert 'value="30m"' in asked(admin, "fuse", task=TASK).content.decode()
    assert done(admin, "fuse", task=TASK, span="").status_code == 400
    assert done(admin, "fuse", task=TASK, span="2d").status_code == 409
    done(admin, "fuse", task=TASK, span="30m")
    assert list(store.fuses()) == [TASK]
    assert WHY in asked(admin, "unfuse", task=TASK).content.decode()
    done(admin, "unfuse", task=TASK)
    assert not store.fuses()


def test_a_key_is_released_after_its_holder_was_named(admin: Client) -> None:
    records().claim("key:global:1", job="a-job")
    html = asked(admin, "release_key", key="key:global:1").content.decode()
    assert "a-job" in html
    assert "its worker is alive" in html.replace("whose worker", "its worker")
    assert "Released key:global:1." in done(admin, "release_key", key="key:global:1").content.decode()
    assert records().look_up("key:global:1") is None


@pytest.mark.parametrize("name", ["quiet", "stop"])
def test_a_worker_that_does_not_answer_is_refused(admin: Client, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operating_workers, "ANSWER_WITHIN", 0.05)
    assert "What it does now is unknown" in asked(admin, name, worker="nobody@nowhere").content.decode()
    response = done(admin, name, worker="nobody@nowhere")
    assert response.status_code == 409
    assert "No worker &#x27;nobody@nowhere&#x27; answers; no worker is known" in response.content.decode()


def test_without_the_broker_what_needs_it_is_not_offered_and_says_why(admin: Client) -> None:
    letter = saved_letter()
    with broker_down():
        assert "not now: the broker does not answer" in admin.get(address("queue", "email")).content.decode()
        response = asked(admin, "pause", queue="email")
        assert response.status_code == 503
        assert re.search(r"<button[^>]* disabled>Pause</button>", response.content.decode())
        assert done(admin, "pause", queue="email").status_code == 503
        assert asked(admin, "discard", letter=letter.pk).status_code == 200
        assert "1 discarded" in done(admin, "discard", letter=letter.pk).content.decode()


def test_who_may_retry_and_not_release_keys_is_told_so(admin: Client) -> None:
    from django.contrib.auth.models import Permission, User

    user = User.objects.create_user("half", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=("view_celery", "retry_task")))
    client = Client()
    client.force_login(user)
    letter = saved_letter()
    response = done(client, "retry", letter=letter.pk, release_key="on")
    assert response.status_code == 403
    assert "may not release an idempotency key" in response.content.decode()
    assert not OperatorAction.objects.exists()


def test_texts_from_the_address_are_shown_as_texts(admin: Client) -> None:
    evil = "<script>alert(1)</script>"
    html = asked(admin, "release_key", key=evil).content.decode()
    assert escape(evil) in html
    assert evil not in html
    assert json.dumps(evil) not in html
