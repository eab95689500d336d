"""Tokens are made, checked, rotated and revoked; their secrets are shown once and kept nowhere."""

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from apps.monitoring.models import MonitoringToken
from apps.monitoring.tokens import issuing
from apps.monitoring.tokens.checking import bearer_of
from apps.monitoring.tokens.issuing import TokenError, create, revoke, rotate
from apps.monitoring.tokens.recent import MOST, Bearer, RecentUses

from .outages import database_down

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def run(*arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("monitoring_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def name_of(secret: str, now: datetime = NOW) -> str | None:
    bearer = bearer_of(secret, now=now)
    return bearer.name if bearer else None


def test_a_token_is_told_by_its_secret_of_which_only_a_digest_is_kept() -> None:
    token, secret = create("probe", scopes=["health", "api", "api"], now=NOW)
    assert secret.startswith("bgj_")
    assert len(secret) == 47
    assert bearer_of(secret, now=NOW) == Bearer(name="probe", scopes=frozenset({"api", "health"}))
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM monitoring_monitoringtoken")
        kept = " ".join(map(str, cursor.fetchall()))
    assert secret not in kept
    assert secret[4:] not in kept
    assert token.digest in kept


@pytest.mark.parametrize("wrong", ["", "bgj_", "bgj_" + "a" * 43, "bgj_" + "ä" * 43, "x" * 47, "a" * 100_000])
def test_what_is_no_secret_of_ours_opens_nothing(wrong: str) -> None:
    create("probe", scopes=["api"], now=NOW)
    assert bearer_of(wrong, now=NOW) is None


def test_what_cannot_be_a_secret_does_not_cost_a_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert bearer_of("bgj_short", now=NOW) is None


def test_a_token_expires_at_its_moment() -> None:
    _, secret = create("probe", scopes=["api"], now=NOW, days=1)
    assert name_of(secret, NOW + DAY - MINUTE) == "probe"
    assert name_of(secret, NOW + DAY) is None


def test_a_rotated_token_has_a_new_secret_and_the_old_one_for_the_grace() -> None:
    _, old = create("probe", scopes=["api"], now=NOW)
    _, new = rotate("probe", now=NOW, grace=HOUR)
    assert old != new
    assert name_of(new) == "probe"
    assert name_of(old, NOW + HOUR - MINUTE) == "probe"
    assert name_of(old, NOW + HOUR) is None
    assert name_of(new, NOW + HOUR) == "probe"


def test_without_a_grace_the_old_secret_is_over_at_once() -> None:
    _, old = create("probe", scopes=["api"], now=NOW)
    rotate("probe", now=NOW)
    assert name_of(old) is None


def test_a_second_rotation_ends_the_secret_before_the_last() -> None:
    _, first = create("probe", scopes=["api"], now=NOW)
    _, second = rotate("probe", now=NOW, grace=HOUR)
    rotate("probe", now=NOW, grace=HOUR)
    assert name_of(first) is None
    assert name_of(second) == "probe"


def test_a_new_secret_lives_as_long_as_the_old_one_was_to_and_the_old_one_no_longer_than_that() -> None:
    _, old = create("probe", scopes=["api"], now=NOW, days=1)
    later = NOW + DAY - MINUTE
    token, new = rotate("probe", now=later, grace=HOUR)
    assert token.expires_at == later + DAY
    assert name_of(old, NOW + DAY) is None
    assert name_of(new, later + DAY - MINUTE) == "probe"


def test_revoking_ends_all_secrets_at_once_and_frees_the_name() -> None:
    _, old = create("probe", scopes=["api"], now=NOW)
    _, new = rotate("probe", now=NOW, grace=HOUR)
    revoke("probe", now=NOW)
    assert name_of(old) is None
    assert name_of(new) is None
    create("probe", scopes=["api"], now=NOW)
    assert MonitoringToken.objects.filter(name="probe").count() == 2


def test_its_last_use_is_noted_once_a_minute(django_assert_num_queries: Any) -> None:
    _, secret = create("probe", scopes=["api"], now=NOW)
    name_of(secret, NOW)
    with django_assert_num_queries(1):
        name_of(secret, NOW + MINUTE / 2)
    assert MonitoringToken.objects.get().last_used_at == NOW
    name_of(secret, NOW + MINUTE)
    assert MonitoringToken.objects.get().last_used_at == NOW + MINUTE


def test_while_the_database_is_down_what_it_accepted_in_the_last_five_minutes_is_accepted() -> None:
    _, seen = create("seen", scopes=["health"], now=NOW)
    _, unseen = create("unseen", scopes=["health"], now=NOW)
    name_of(seen)
    with database_down():
        assert bearer_of(seen, now=NOW + 5 * MINUTE - MINUTE / 60) == Bearer(
            name="seen", scopes=frozenset({"health"})
        )
        assert name_of(seen, NOW + 5 * MINUTE) is None
        assert name_of(unseen) is None


def test_what_is_remembered_ends_with_the_token_itself() -> None:
    _, secret = create("probe", scopes=["health"], now=NOW, days=1)
    name_of(secret, NOW + DAY - MINUTE)
    with database_down():
        assert name_of(secret, NOW + DAY - MINUTE / 60) == "probe"
        assert name_of(secret, NOW + DAY) is None


def test_what_is_remembered_of_an_old_secret_ends_with_its_grace() -> None:
    _, old = create("probe", scopes=["health"], now=NOW)
    rotate("probe", now=NOW, grace=MINUTE)
    assert name_of(old) == "probe"
    with database_down():
        assert name_of(old, NOW + MINUTE) is None


def test_a_token_that_was_seen_revoked_is_not_accepted_while_the_database_is_down() -> None:
    _, secret = create("probe", scopes=["health"], now=NOW)
    name_of(secret)
    revoke("probe", now=NOW)
    assert name_of(secret) is None
    with database_down():
        assert name_of(secret) is None


def test_no_more_than_a_thousand_are_remembered_the_oldest_go() -> None:
    uses = RecentUses()
    bearer = Bearer(name="probe", scopes=frozenset())
    for number in range(MOST + 1):
        uses.note(str(number), bearer, now=NOW, ends=None)
    assert uses.recall("0", now=NOW) is None
    assert uses.recall(str(MOST), now=NOW) is bearer


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("probe", {"scopes": ["api"]}, "a token 'probe' already"),
        ("no spaces", {"scopes": ["api"]}, "letters, digits"),
        ("other", {"scopes": []}, "Say what the token opens: metrics, health, api"),
        ("other", {"scopes": ["metric"]}, "did you mean 'metrics'"),
        ("other", {"scopes": ["api"], "days": 0}, "1 to 3650 days"),
        ("other", {"scopes": ["api"], "days": 10**12}, "1 to 3650 days"),
    ],
)
def test_a_wrong_wish_is_told_what_is_right(name: str, options: dict[str, Any], says: str) -> None:
    create("probe", scopes=["api"], now=NOW)
    with pytest.raises(TokenError, match=says):
        create(name, now=NOW, **options)


def test_a_name_that_does_not_exist_is_told_the_nearest() -> None:
    with pytest.raises(TokenError, match="none at all"):
        revoke("probe", now=NOW)
    create("probe", scopes=["api"], now=NOW)
    with pytest.raises(TokenError, match="did you mean 'probe'"):
        rotate("prob", now=NOW)


def test_secrets_and_digests_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    token, old = create("probe", scopes=["api"], now=NOW)
    _, new = rotate("probe", now=NOW, grace=HOUR)
    name_of(old), name_of(new)
    revoke("probe", now=NOW)
    assert "monitoring_token.created" in caplog.text
    assert "monitoring_token.revoked" in caplog.text
    for secret in (old, new, token.digest):
        assert secret not in caplog.text


def test_the_command_prints_a_secret_alone_and_once() -> None:
    out, err = run("create", "probe", "--scope=metrics", "--scope=health", "--days=30")
    assert name_of(out.strip(), datetime.now(UTC)) == "probe"
    assert "probe opens health, metrics until 20" in err
    assert out.strip() not in err
    renewed, err = run("rotate", "probe", "--grace=1h")
    assert "The secret before is accepted until" in err
    listed, _ = run("list", "--format=json")
    (row,) = json.loads(listed)
    assert (row["name"], row["state"], row["scopes"]) == ("probe", "accepted", ["health", "metrics"])
    assert row["last_used_at"].endswith("Z")
    run("revoke", "probe")
    shown, _ = run("list")
    assert shown.splitlines()[1].split()[:2] == ["probe", "revoked"]
    assert all(secret.strip() not in listed + shown for secret in (out, renewed))


def test_the_command_says_what_is_wrong() -> None:
    with pytest.raises(CommandError, match="Say what the token opens"):
        run("create", "probe")
    with pytest.raises(CommandError, match="no span of time"):
        run("rotate", "probe", "--grace=5")
    assert run("list")[0].strip() == "There is no token."


@pytest.mark.filterwarnings("ignore:No directory at")
def test_the_admin_shows_tokens_without_digests_and_changes_none() -> None:
    token, _ = create("probe", scopes=["api"], now=NOW)
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    listed = client.get(reverse("admin:monitoring_monitoringtoken_changelist"))
    page = client.get(reverse("admin:monitoring_monitoringtoken_change", args=[token.pk]))
    assert (listed.status_code, page.status_code) == (200, 200)
    for response in (listed, page):
        assert b"probe" in response.content
        assert token.digest.encode() not in response.content
    assert client.post(reverse("admin:monitoring_monitoringtoken_change", args=[token.pk])).status_code == 403
    assert client.get(reverse("admin:monitoring_monitoringtoken_add")).status_code == 403
    assert issuing.MonitoringToken.objects.get().name == "probe"
