"""The page of runs finds what is asked for, says how far it looked, and exports what it shows."""

import csv
import io
import uuid
from datetime import UTC, datetime, timedelta
from html import escape, unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode

from apps.core.dead_letters.models import DeadLetter
from apps.core.models import OperatorAction
from apps.core.outbox import rows
from apps.core.runs.models import JobRun
from apps.core.runs.query import RunQuery
from apps.core.runs.search import BoundReached, Page
from apps.monitoring.views import runs as page_of_runs

from ..dead_letters.letters import saved as saved_letter
from .history import made, saved
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

EVIL = '<script>alert("x")</script>'


@pytest.fixture
def viewer() -> Client:
    return visitor()


def shown(viewer: Client, query: str = "", **more: str) -> str:
    response = viewer.get(address("runs"), {"q": query, **more})
    assert response.status_code == 200
    return response.content.decode()


def exported(viewer: Client, query: str = "") -> list[list[str]]:
    response = viewer.post(address("runs_export"), {"q": query})
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    return list(csv.reader(io.StringIO(text)))


def test_an_empty_history_says_who_writes_it(viewer: Client) -> None:
    assert "No job has ended yet" in shown(viewer)
    assert "No run that has ended is like that" in shown(viewer, "state:failed")


def test_the_query_in_the_address_finds_and_stands_in_the_field(viewer: Client) -> None:
    wanted = saved("failed", error="TimeoutError", error_text="no answer", args="('4711',)", reason="transient")
    other = saved(task="other")
    html = shown(viewer, "state:failed error:Timeout 4711")
    assert wanted.job in html
    assert other.job not in html
    assert 'value="state:failed error:Timeout 4711"' in html
    assert "✖</span> failed" in html


@pytest.mark.parametrize("query", ["tusk:x", "state:nowhere", 'task:"open', "since:yesterday", "\x07"])
def test_a_bad_query_is_told_beside_the_field_with_what_to_write(viewer: Client, query: str) -> None:
    html = shown(viewer, query)
    assert 'aria-invalid="true"' in html
    assert 'id="runs-trouble" role="alert"' in html
    assert "Export as CSV" not in html


def test_a_bad_cursor_is_told_as_well(viewer: Client) -> None:
    assert "no place in the history" in shown(viewer, before="nonsense")


def test_older_runs_are_a_link_away_and_none_is_twice_or_missing(viewer: Client) -> None:
    JobRun.objects.bulk_create([made(ago=number) for number in range(120)])
    seen: list[str] = []
    link = f"{address('runs')}?q=queue%3Aemail"
    for count in (50, 50, 20):
        response = viewer.get(link)
        seen += [row.run.job for row in response.context["rows"]]
        assert len(response.context["rows"]) == count
        link = response.context["older"]
    assert link == ""
    assert len(set(seen)) == 120


def test_each_cell_leads_to_a_narrower_search(viewer: Client) -> None:
    saved("retried", error="TimeoutError", tenant="7")
    response = viewer.get(address("runs"), {"q": "queue:email"})
    (row,) = response.context["rows"]
    assert set(row.narrower) == {"task", "queue", "tenant", "error", "state"}
    assert viewer.get(row.narrower["state"]).context["q"] == "state:retried queue:email"
    assert len(viewer.get(row.narrower["tenant"]).context["rows"]) == 1


def test_what_comes_from_jobs_is_shown_as_text(viewer: Client) -> None:
    saved(
        "failed", task=EVIL, error=EVIL, error_text=EVIL, args=EVIL, kwargs=EVIL, tenant=EVIL, worker=EVIL, job=EVIL
    )
    html = shown(viewer, "state:failed")
    assert EVIL not in html
    assert html.count(escape(EVIL)) >= 5
    assert EVIL not in shown(viewer, f'task:"{EVIL}"'.replace('("x")', ""))


def test_a_search_that_stops_says_how_far_it_came(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    back_to = datetime(2026, 11, 20, tzinfo=UTC)
    bound = BoundReached(back_to=back_to, advice="Add a time (since:2h).")
    monkeypatch.setattr(page_of_runs, "search", lambda *_, **__: Page(runs=(), next=None, bound=bound))
    html = shown(viewer, "error:x")
    assert "2026-11-20 00:00:00 UTC</time> and no further" in html
    assert "Add a time" in html
    assert "No run that has ended is like that" not in html


# their dead letters


def failed(*, args: str, task: str = "send_ticket_email") -> DeadLetter:
    """A letter, and the run before it."""
    letter = saved_letter(task)
    saved("failed", job=letter.job, task=task, args=args, reason="permanent", error="ValueError")
    return letter


QUERY = "state:failed since:2h 4711"


def test_dead_letters_of_every_search_are_offered_but_of_none_for_everything(viewer: Client) -> None:
    failed(args="(4711,)")
    operator = visitor("Jobs operator")
    for query in (QUERY, "task:send_ticket_email", "state:failed", "error:Value", "tenant:7 state:failed"):
        offered = "tenant" not in query  # of which there is no run
        assert ("Retry their dead letters" in shown(operator, query)) == offered, query
    assert f"{address('action', 'retry')}?{escape(urlencode({'q': QUERY}))}&amp;back=" in shown(operator, QUERY)
    assert "their dead letters" not in shown(operator)
    assert "their dead letters" not in shown(viewer, QUERY)


@pytest.mark.parametrize(("action", "state"), [("retry", "replayed"), ("discard", "discarded")])
def test_what_a_search_finds_is_counted_and_then_acted_on_once(action: str, state: str) -> None:
    meant = [failed(args="(4711,)") for _ in range(2)]
    other = failed(args="(4712,)")
    operator, request = visitor("Jobs operator"), str(uuid.uuid4())
    html = operator.get(address("action", action), {"q": QUERY}).content.decode()
    assert "Affects 2." in html
    assert "Meant are jobs with a run whose state is failed, with 4711 among its arguments, that ended within" in html
    assert "Selected by: state:failed arg:4711 since:2h." in html
    assert f"send_ticket_email {meant[0].job}" in html
    assert f'name="q" value="{QUERY}"' in html
    meant.append(failed(args="(4711,)"))  # the query is asked anew
    for _ in range(2):
        sent = {"q": QUERY, "request_id": request, "reason": "mended"}
        assert operator.post(address("action", action), sent, follow=True).status_code == 200
    row = OperatorAction.objects.get()
    assert (row.target, row.expected, row.affected) == ("state:failed arg:4711 since:2h", 3, 3)
    assert set(DeadLetter.objects.filter(state=state)) == set(meant)
    assert DeadLetter.objects.get(state="open") == other


@pytest.mark.parametrize(
    ("query", "words"),
    [("tusk:x", "There is no field"), (" ", "Say which dead letters"), ("state:nowhere", "no state")],
)
def test_a_query_that_is_none_is_refused_in_words(query: str, words: str) -> None:
    operator = visitor("Jobs operator")
    response = operator.get(address("action", "retry"), {"q": query})
    assert response.status_code == 409
    assert words in unescape(response.content.decode())
    sent = {"q": query, "request_id": str(uuid.uuid4()), "reason": "why"}
    assert operator.post(address("action", "retry"), sent).status_code == 409
    assert not OperatorAction.objects.exists()


def test_jobs_are_retried_at_a_rate_and_with_their_keys_released() -> None:
    for number in range(3):
        failed(args=f"(4711, {number})")
    operator = visitor("Jobs operator")
    html = operator.get(address("action", "retry"), {"q": QUERY}).content.decode()
    assert 'name="release_key"' in html
    assert 'name="rate"' in html
    sent = {"q": QUERY, "request_id": str(uuid.uuid4()), "reason": "why", "rate": "0.5", "release_key": "on"}
    assert operator.post(address("action", "retry"), sent | {"rate": "0"}).status_code == 400
    operator.post(address("action", "retry"), sent)
    row = OperatorAction.objects.get()
    assert row.target == "state:failed arg:4711 since:2h, key released"
    assert row.detail == "3 replayed, over 6s: the relay publishes them."
    first, *others = rows.table().order_by("id").values_list("due", flat=True)
    assert first == 0
    assert others[1] - others[0] == pytest.approx(2)


# export


def test_the_export_says_how_many_before_it_is_made(viewer: Client) -> None:
    saved()
    saved("failed")
    html = viewer.get(address("runs_export"), {"q": "state:failed"}).content.decode()
    assert "<strong>1</strong>" in html
    assert "csrfmiddlewaretoken" in html
    assert viewer.get(address("runs_export"), {"q": "tusk:x"}).status_code == 400
    assert viewer.post(address("runs_export"), {"q": "tusk:x"}).status_code == 400


def test_an_export_holds_all_that_match_and_no_formula(viewer: Client) -> None:
    JobRun.objects.bulk_create([made(ago=number, args="=1+1", kwargs="[hidden]") for number in range(1, 1201)])
    saved(queue="reports")
    heading, *lines = exported(viewer, "queue:email")
    assert len(lines) == 1200
    first = dict(zip(heading, lines[0], strict=True))
    assert first["args"] == "'=1+1"
    assert first["kwargs"] == "[hidden]"
    assert first["event"] == "succeeded"
    assert datetime.fromisoformat(first["ended_at"]) > datetime.now(UTC) - timedelta(minutes=5)


def test_an_export_has_its_end_and_says_so(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_of_runs, "EXPORTED_AT_MOST", 10)
    JobRun.objects.bulk_create([made(ago=number) for number in range(20)])
    _, *lines = exported(viewer)
    assert len(lines) == 11
    assert "only the newest 10" in lines[-1][0]
    assert "more than 10" in viewer.get(address("runs_export")).content.decode()


def test_an_export_that_took_too_long_says_so_in_the_file(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    bound = BoundReached(back_to=None, advice="Add a task (task:…).")

    def stopped(query: RunQuery, **_: Any) -> Page:
        return Page(runs=(made(),), next=None, bound=bound)

    monkeypatch.setattr(page_of_runs, "search", stopped)
    _, line, last = exported(viewer)
    assert line[1] == "send_ticket_email"
    assert last == ["(incomplete: the search took too long. Add a task (task:…).)"]


def test_an_export_needs_a_token_of_its_form(viewer: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = viewer.cookies
    assert strict.post(address("runs_export"), {"q": ""}).status_code == 403
