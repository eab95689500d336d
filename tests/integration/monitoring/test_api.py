"""The JSON API: who may read it, what it answers, and what it answers while servers are down."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
from django.contrib.auth.models import User
from django.test import Client

from apps.core.health.problem import Problem
from apps.core.metrics.events import field
from apps.core.queues import QUEUES
from apps.monitoring import looking
from apps.monitoring.api import health as health_view
from apps.monitoring.api.schema import document
from apps.monitoring.tokens.issuing import create, revoke

from .outages import broker_down, database_down
from .visitors import address, visitor

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]

ENDPOINTS = {"api_metrics": "api", "api_health": "health", "api_schema": "api"}
VALIDATOR = jsonschema.Draft202012Validator(document(), format_checker=jsonschema.FormatChecker())


@pytest.fixture
def bearer() -> Callable[..., Client]:
    """A client with a token of these scopes."""

    def made(*scopes: str, name: str = "probe") -> Client:
        _, secret = create(name, scopes=scopes, now=datetime.now(UTC))
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return made


@pytest.fixture
def broker(server: redis.Redis) -> Iterator[redis.Redis]:
    """With counts of two jobs, one of which was late and failed."""
    now = int(server.time()[0])
    counts = {
        field("published", "critical", task="auto_close_jobs"): 2,
        field("started", "critical", task="auto_close_jobs"): 2,
        field("succeeded", "critical", task="auto_close_jobs"): 1,
        field("failed", "critical", "permanent", "auto_close_jobs"): 1,
        field("retried", "critical", "transient", "auto_close_jobs"): 1,
        field("wait_le", "critical", "0", "auto_close_jobs"): 1,
        field("wait_le", "critical", "8", "auto_close_jobs"): 1,
        field("run_le", "critical", "2", "auto_close_jobs"): 2,
        field("checked", "critical", "claimed", "auto_close_jobs"): 2,
        field("check_le", "critical", "1", "auto_close_jobs"): 2,
    }
    keys = [f"bgjobs:counts:{unit}:{now // size}" for unit, size in (("m", 60), ("h", 3600), ("d", 86400))]
    for key in keys:
        server.hset(key, mapping=counts)
        server.expire(key, 60)
    yield server
    server.delete(*keys)


def content(client: Client, **asked: str) -> Any:
    response = client.get(address("api_metrics"), asked)
    assert response.status_code == 200, response.content
    return response.json()


def undocumented(value: Any, schema: dict[str, Any], path: str = "$") -> Iterator[str]:
    """Members of the answer that the schema does not name."""
    if "$ref" in schema:
        schema = document()["$defs"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        schema = next(one for one in schema["anyOf"] if "properties" in one)
    if isinstance(value, dict) and "additionalProperties" not in schema:
        for name, part in value.items():
            if name not in schema["properties"]:
                yield f"{path}.{name}"
            else:
                yield from undocumented(part, schema["properties"][name], f"{path}.{name}")
    elif isinstance(value, list):
        for part in value:
            yield from undocumented(part, schema["items"], f"{path}[]")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_without_credentials_nothing_is_told_and_nobody_is_sent_anywhere(name: str) -> None:
    response = Client().get(address(name))
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="background jobs"'
    assert response.json()["error"] == "no_credentials"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_who_may_not_look_is_told_which_permission_is_missing(name: str) -> None:
    client = Client()
    client.force_login(User.objects.create_user("staff", is_staff=True))
    response = client.get(address(name))
    assert response.status_code == 403
    assert "monitoring.view_celery" in response.json()["message"]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_a_session_that_may_look_reads_all(name: str) -> None:
    assert visitor().get(address(name)).status_code in (200, 503)


@pytest.mark.parametrize(("name", "scope"), ENDPOINTS.items())
def test_a_token_opens_what_its_scopes_name_and_nothing_else(
    name: str, scope: str, bearer: Callable[..., Client]
) -> None:
    assert bearer(scope, name="right").get(address(name)).status_code in (200, 503)
    others = {"metrics", "health", "api"} - {scope}
    response = bearer(*others, name="wrong").get(address(name))
    assert response.status_code == 403
    assert f'error="insufficient_scope", scope="{scope}"' in response.headers["WWW-Authenticate"]


@pytest.mark.parametrize("sent", ["Bearer bgj_wrong", "Bearer", "Basic abc", "bgj_" + "a" * 43])
def test_a_wrong_token_opens_nothing_not_even_with_a_session(sent: str) -> None:
    response = visitor().get(address("api_metrics"), headers={"Authorization": sent})
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


def test_a_token_in_the_address_is_none(bearer: Callable[..., Client]) -> None:
    _, secret = create("probe", scopes=["api"], now=datetime.now(UTC))
    assert Client().get(address("api_metrics"), {"token": secret}).status_code == 401


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete", "options"])
@pytest.mark.parametrize("name", ENDPOINTS)
def test_it_is_only_read(method: str, name: str) -> None:
    client = visitor()
    client.handler.enforce_csrf_checks = True
    response = getattr(client, method)(address(name))
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json()["error"] == "method_not_allowed"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_answers_are_private_and_harmless(name: str) -> None:
    for client in (visitor(), Client()):
        headers = client.get(address(name)).headers
        assert "no-store" in headers["Cache-Control"]
        assert "private" in headers["Cache-Control"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'none'" in headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("query", "code", "allowed"),
    [
        ("window=2h", "bad_window", ["5m", "1h", "24h", "72h"]),
        ("window=30d", "bad_window", ["5m", "1h", "24h", "72h"]),
        ("queue=critcal", "bad_queue", [queue.name for queue in QUEUES]),
        ("windw=5m", "bad_parameter", ["queue", "window"]),
        ("window=5m&window=1h", "bad_parameter", ["queue", "window"]),
        ("queue=%00", "bad_queue", [queue.name for queue in QUEUES]),
    ],
)
def test_a_wrong_wish_is_told_what_is_allowed(query: str, code: str, allowed: list[str]) -> None:
    response = visitor().get(f"{address('api_metrics')}?{query}")
    assert response.status_code == 400
    assert (response.json()["error"], response.json()["allowed"]) == (code, allowed)


@pytest.mark.parametrize("window", ["5m", "1h", "24h", "72h"])
def test_an_answer_is_as_the_schema_says_and_says_no_more(broker: redis.Redis, window: str) -> None:
    found = content(visitor(), window=window)
    VALIDATOR.validate(found)
    assert list(undocumented(found, document())) == []
    assert (found["window"], found["stale"]) == (window, False)
    (task,) = found["tasks"]
    assert (task["name"], task["succeeded"], task["failed"], task["retries"]) == (
        "auto_close_jobs",
        1,
        1,
        {"transient": 1},
    )
    critical = next(queue for queue in found["queues"] if queue["name"] == "critical")
    assert critical["sla_ratio"]["1h"] == 0.5


def test_of_one_queue_only_that_is_told(broker: redis.Redis) -> None:
    found = content(visitor(), queue="email")
    VALIDATOR.validate(found)
    assert [queue["name"] for queue in found["queues"]] == ["email"]
    assert found["tasks"] == []


@pytest.mark.parametrize(
    ("broker_is_down", "database_is_down"), [(True, False), (False, True), (True, True)], ids=["broker", "db", "both"]
)
def test_while_servers_are_down_it_answers_from_what_was_known_last(
    broker: redis.Redis, bearer: Callable[..., Client], broker_is_down: bool, database_is_down: bool
) -> None:
    broker.lpush("email", *["{}"] * 3)
    client = bearer("api", "health")
    before = content(client)
    with ExitStack() as down:
        if broker_is_down:
            down.enter_context(broker_down())
        if database_is_down:
            down.enter_context(database_down())
        found = content(client)
        probe = client.get(address("api_health"))
    VALIDATOR.validate(found)
    assert list(undocumented(found, document())) == []
    assert (before["stale"], found["stale"]) == (False, True)
    assert found["known_at"] == before["generated_at"]
    assert found["broker"]["reachable"] is not broker_is_down
    assert found["database"]["reachable"] is not database_is_down
    ready = {queue["name"]: queue["ready"] for queue in found["queues"]}
    assert ready["email"] == 3
    assert probe.status_code == 503
    codes = {problem["code"] for problem in found["problems"]}
    assert ("server_unreachable" in codes) is broker_is_down
    assert ("database_unreachable" in codes) is database_is_down


def test_what_was_never_known_is_null_and_not_0(bearer: Callable[..., Client]) -> None:
    client = bearer("api")
    client.get(address("api_schema"))  # so that its token is known
    with broker_down(), database_down():
        found = content(client)
    VALIDATOR.validate(found)
    assert (found["stale"], found["known_at"]) == (True, None)
    assert {queue["ready"] for queue in found["queues"]} == {None}
    assert found["outbox"]["pending"] is None


def test_while_the_database_is_down_only_tokens_that_were_used_lately_open_it(bearer: Callable[..., Client]) -> None:
    used, unused = bearer("health", name="used"), bearer("health", name="unused")
    used.get(address("api_health"))
    with database_down():
        assert used.get(address("api_health")).status_code == 503
        assert unused.get(address("api_health")).status_code == 401
        assert Client().get(address("api_health")).status_code == 401


def test_a_revoked_token_opens_nothing(bearer: Callable[..., Client]) -> None:
    client = bearer("api")
    assert client.get(address("api_schema")).status_code == 200
    revoke("probe", now=datetime.now(UTC))
    assert client.get(address("api_schema")).status_code == 401


def test_what_has_not_changed_is_not_sent_again(broker: redis.Redis) -> None:
    client = visitor()
    first = client.get(address("api_metrics"))
    again = client.get(address("api_metrics"), headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert "no-store" in again.headers["Cache-Control"]
    broker.lpush("email", "{}")
    looking.forget()
    third = client.get(address("api_metrics"), headers={"If-None-Match": first.headers["ETag"]})
    assert third.status_code == 200
    assert third.headers["ETag"] != first.headers["ETag"]


def test_a_head_request_has_the_headers_of_a_get() -> None:
    client = visitor()
    response = client.head(address("api_metrics"))
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["ETag"]


@pytest.mark.parametrize(
    ("status", "expected"), [("ok", 200), ("degraded", 200), ("critical", 503), ("unknown", 503)]
)
def test_health_is_a_status_that_a_load_balancer_understands(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, status: Any, expected: int
) -> None:
    seen = looking.look(now=datetime.now(UTC))
    problem = Problem(code="queue_over_sla", severity="critical", message="email is late", hint="Start a worker.")
    judged = replace(seen.verdict, status=status, sentence="email is late.", problems=(problem, problem))
    monkeypatch.setattr(health_view, "look", lambda **_: replace(seen, verdict=judged))
    response = visitor().get(address("api_health"))
    assert response.status_code == expected
    assert response.json() == {"status": status, "sentence": "email is late.", "problems": ["queue_over_sla"]}
    assert "django.request" not in {record.name for record in caplog.records}  # no error of this site


@pytest.mark.parametrize("rest", ["metric/", "metrics", "health/x", "v2/metrics/"])
def test_an_address_that_does_not_exist_is_told_which_do_and_sends_nobody_to_the_login(rest: str) -> None:
    response = Client().get(address("api_unknown", rest))
    assert response.status_code == 404
    assert address("api_metrics") in response.json()["allowed"]


def test_the_documentations_example_names_what_there_is() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "monitoring.md").read_text()
    example = json.loads(text.partition("```json\n")[2].partition("```")[0])
    assert list(undocumented(example, document())) == []


def test_the_schema_is_served_as_it_is_in_the_repository() -> None:
    client = visitor()
    response = client.get(address("api_schema"))
    assert response.headers["Content-Type"] == "application/schema+json"
    assert json.loads(response.content) == document()
    jsonschema.Draft202012Validator.check_schema(document())
    tag = {"If-None-Match": response.headers["ETag"]}
    assert client.get(address("api_schema"), headers=tag).status_code == 304
