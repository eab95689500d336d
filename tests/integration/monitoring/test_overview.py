"""The overview: the verdict first, then how everything stands, and only what is known."""

import json
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
import redis
from django.test import Client

from apps.core.broker.configured import configured_store
from apps.core.health.problem import Problem
from apps.core.metrics.events import field
from apps.core.queues import QUEUES
from apps.monitoring import looking
from apps.monitoring.offers.repairs import REPAIRS
from apps.monitoring.views import overview as page

from ..broker.trial import text_of
from ..dead_letters.letters import saved as saved_letter
from .outages import broker_down
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def operator(server: redis.Redis) -> Client:
    server.delete("bgjobs:owners")  # of workers that an earlier test has killed
    return visitor("Jobs operator")


@pytest.fixture
def counted(server: redis.Redis) -> Iterator[None]:
    now = int(server.time()[0])
    keys = [f"bgjobs:counts:{unit}:{now // size}" for unit, size in (("m", 60), ("h", 3600), ("d", 86400))]
    for key in keys:
        server.hset(key, field("started", "critical", task="close"), 4)
        server.hset(key, field("wait_le", "critical", "0", "close"), 3)
        server.hset(key, field("wait_le", "critical", "8", "close"), 1)
    yield
    server.delete(*keys)


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Lets the verdict be of these problems, whatever there is."""

    def these(*problems: Problem) -> None:
        from apps.core.health import verdict

        monkeypatch.setattr(verdict, "RULES", (lambda _: iter(problems),))
        looking.forget()

    return these


def shown(client: Client) -> str:
    response = client.get(address("changelist"))
    assert response.status_code == 200
    return unescape(response.content.decode())


def test_the_verdict_is_said_in_words_in_a_status_region(operator: Client, judged: Callable[..., None]) -> None:
    judged()
    html = shown(operator)
    assert "<h1>Background jobs</h1>" in html
    region = html[html.index('<div role="status"') : html.index("</div>", html.index('<div role="status"'))]
    assert "✔ OK" in region
    assert "All is well: 0 jobs wait" in region
    assert "<li>None.</li>" in html


def test_what_is_broken_comes_with_since_when_the_cause_and_the_button_that_repairs_it(
    operator: Client, judged: Callable[..., None]
) -> None:
    since = datetime(2026, 11, 23, 11, 20, tzinfo=UTC)
    judged(
        Problem(
            code="queue_paused",
            severity="critical",
            message="email is paused",
            hint="Resume it.",
            cause="ada paused it",
            since=since,
            queue="email",
            action="resume",
            target="email",
        ),
        Problem(code="memory_high", severity="warning", message="The broker is full", hint="Raise maxmemory."),
    )
    html = shown(operator)
    assert "✖ CRITICAL" in html
    assert "email is paused: ada paused it. Resume it." in html
    assert 'Since <time datetime="2026-11-23T11:20:00Z">2026-11-23 11:20:00 UTC</time>' in html
    assert "Likely cause: ada paused it." in html
    assert (
        f'{address("action", "resume")}?queue=email&back=%2Fadmin%2Fmonitoring%2Fcelery%2F">Resume email</a>' in html
    )
    assert "▲ warning:" in html
    assert "The broker is full" in html
    assert ">Resume email<" not in shown(visitor("Jobs viewer"))


@pytest.mark.parametrize(
    ("action", "target", "link"),
    [
        ("fire", "auto_close_jobs", "actions/fire/?entry=auto_close_jobs"),
        ("resume_entry", "auto_close_jobs", "actions/resume_entry/?entry=auto_close_jobs"),
        ("retry", "f00", "actions/retry/?fingerprint=f00"),
        ("unfuse", "some task", "actions/unfuse/?task=some+task"),
        ("release_key", "a:b", "actions/release_key/?key=a%3Ab"),
    ],
)
def test_every_action_of_a_problem_has_its_button(
    operator: Client, judged: Callable[..., None], action: Any, target: str, link: str
) -> None:
    judged(
        Problem(code="task_fused", severity="warning", message="A", hint="B.", action=action, target=target),
    )
    assert link in shown(operator)


def test_what_the_script_makes_buttons_of_are_those_that_the_visitor_may_press(operator: Client) -> None:
    def offers_of(client: Client) -> Any:
        html = client.get(address("changelist")).content.decode()
        (told,) = re.findall(r'data-live-offers="([^"]*)"', html)
        return json.loads(unescape(told))

    offers = offers_of(operator)
    assert set(offers) == {*REPAIRS, "pause"}
    assert offers["resume"] == {
        "address": f"{address('action', 'resume')}?back=%2Fadmin%2Fmonitoring%2Fcelery%2F",
        "takes": "queue",
        "label": "Resume",
        "names": True,
        "needs_broker": True,
    }
    assert offers_of(visitor("Jobs viewer")) == {}


def test_every_queue_has_its_line(operator: Client, counted: None) -> None:
    store = configured_store()
    for _ in range(1234):
        store.publish("email", "email", text_of("work", queue="email"))
    store.pause("reports", seconds=600, why="ada: roll-out")
    html = shown(operator)
    for queue in QUEUES:
        assert f'<a href="{address("queue", queue.name)}">{queue.name}</a>' in html
    assert 'data-live="queues.email.ready" data-format="number">1,234</span>' in html
    assert 'data-known-by="queues.critical.rate_per_minute.started">75%</span>' in html
    assert "<title>critical: 4 jobs started in the last hour, 4 at most in a minute</title>" in html
    assert "‖ paused</strong> by ada: roll-out, until <time" in html
    assert ">nothing waits</span>" in html
    assert ">no jobs</span>" in html


def test_a_queue_that_is_late_says_so(operator: Client, server: redis.Redis) -> None:
    text = text_of("work", queue="critical")[:-1] + f', "ready_at": {time.time() - 100}}}'
    server.lpush("critical", text)
    assert "✖ LATE" in shown(operator)


def test_new_failures_are_marked_and_can_be_retried(operator: Client, server: redis.Redis) -> None:
    saved_letter(fingerprint="f00", task="send_mail", error="TimeoutError")
    html = shown(operator)
    assert ">NEW</span>" in html
    assert "TimeoutError" in html
    assert f"{address('action', 'retry')}?fingerprint=f00" in html


def test_who_has_nothing_yet_learns_what_comes_here(operator: Client) -> None:
    html = shown(operator)
    assert "celery -A intelliwiz_config worker" in html
    assert "Nothing has been given up" in html
    assert "auto_close_jobs" in html  # of the timetable, with its next firing


def test_without_the_broker_what_was_known_last_is_shown_with_its_age(operator: Client, counted: None) -> None:
    configured_store().publish("email", "email", text_of("work", queue="email"))
    shown(operator)
    with broker_down():
        began = time.monotonic()
        html = shown(operator)
        assert time.monotonic() - began < 2
    assert "? UNKNOWN" in html
    assert "STALE" in html
    assert "was so " in html
    assert 'data-live="queues.email.ready" data-format="number">1</span>' in html
    assert "✖ does not answer" in html
    assert "not now: the broker does not answer" in html


def test_without_the_broker_and_without_a_past_everything_is_unknown(operator: Client) -> None:
    with broker_down():
        html = shown(operator)
    assert "what was so before is not known" in html
    assert 'data-live="queues.email.ready" data-format="number">unknown</span>' in html
    assert "No worker runs" not in html
    assert "nothing waits</span>" not in html


def test_the_key_of_the_verdict_is_that_of_what_it_speaks_of() -> None:
    problem = {"code": "queue_paused", "queue": "email", "entry": None, "target": "email"}
    facts = {"status": "critical", "problems": [problem, problem | {"queue": "reports"}]}
    assert page.spoken_of(facts) == "critical;queue_paused|email||email"
    assert page.spoken_of({"status": "ok", "problems": []}) == "ok"


def test_all_that_is_on_the_page_is_in_the_json_that_keeps_it_alive(operator: Client) -> None:
    facts = operator.get(address("api_metrics")).json()

    def find(path: str) -> Any:
        found: Any = facts
        for part in path.split("."):
            found = next(one for one in found if one["name"] == part) if isinstance(found, list) else found[part]
        return found

    html = shown(operator)
    places = re.findall(r'data-(?:live|known-by)="([a-z][^"]+)"', html)
    assert len(places) > 60
    for place in places:
        find(place)  # raises where there is no such place
    assert html.count(f'data-live-url="{address("api_metrics")}"') == 1
