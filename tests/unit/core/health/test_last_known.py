"""What is shown while a server is down."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches

from apps.core.health import last_known
from apps.core.health.facts import facts
from apps.core.health.verdict import verdict

from . import situations as at
from .situations import NOW, well


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    made = tmp_path / "last-known"
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "last_known": {
            "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
            "LOCATION": str(made),
        },
    }
    return made


def of(queue: str | None = None, **changes: Any) -> dict[str, Any]:
    snapshot = well(**changes)
    return facts(snapshot, verdict(snapshot), queue=queue)


LATER = NOW + timedelta(seconds=90)


def test_facts_of_servers_that_answer_are_not_stale() -> None:
    found = of()
    assert last_known.completed(found) is found
    assert (found["stale"], found["known_age_seconds"]) == (False, 0.0)


def test_without_the_broker_its_part_is_the_one_that_was_known_last() -> None:
    last_known.remember(of(**at.queues("critical", ready=212)))
    found = last_known.completed(of(at=LATER, **at.without_broker()), now=LATER)
    assert (found["stale"], found["known_at"], found["known_age_seconds"]) == (True, "2026-11-23T11:20:10Z", 90.0)
    assert found["queues"][0]["ready"] == 212
    assert found["workers"]["online"] == 1
    assert found["broker"]["version"] == "9.1.2"
    assert found["broker"]["reachable"] is False
    assert (found["status"], found["generated_at"]) == ("unknown", "2026-11-23T11:21:40Z")
    assert "outbox" not in found["stale_parts"]


def test_without_the_database_the_brokers_part_is_that_of_now() -> None:
    last_known.remember(of(**at.queues("critical", ready=212), **at.given_up(count=3)))
    found = last_known.completed(of(at=LATER, beats=(), **at.without_database()), now=LATER)
    assert found["stale"] is True
    assert found["queues"][0]["ready"] == 0
    assert found["failures"]["dead_letters"] == 3
    assert (found["schedules"]["entries"], found["schedules"]["beats_alive"]) == (1, 0)
    assert found["stale_parts"] == ["database", "failures", "outbox", "schedules"]


def test_without_both_all_of_it_is_that_of_the_last_time() -> None:
    last_known.remember(of())
    found = last_known.completed(of(**at.without_broker() | at.without_database()))
    assert found["queues"][0]["ready"] == 0
    assert found["outbox"]["pending"] == 0
    assert [problem["code"] for problem in found["problems"]] == ["server_unreachable", "database_unreachable"]


def test_what_was_never_known_stays_unknown_and_is_called_stale() -> None:
    found = last_known.completed(of(**at.without_broker()))
    assert (found["stale"], found["known_at"], found["known_age_seconds"]) == (True, None, None)
    assert found["queues"][0]["ready"] is None


def test_facts_that_a_server_is_missing_from_are_not_kept() -> None:
    last_known.remember(of(**at.without_broker()))
    last_known.remember(of(**at.without_database()))
    assert last_known.recall() is None


def test_who_asked_for_one_queue_gets_that_one() -> None:
    last_known.remember(of())
    found = last_known.completed(of("email", **at.without_broker()))
    assert [queue["name"] for queue in found["queues"]] == ["email"]


def test_its_folder_is_for_its_owner_alone(folder: Path) -> None:
    last_known.remember(of())
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())


def test_without_a_cache_of_its_own_the_default_one_serves(settings: Any) -> None:
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    last_known.remember(of())
    assert last_known.recall() is not None
    caches["default"].clear()


def test_a_cache_that_cannot_be_written_or_read_changes_nothing(folder: Path) -> None:
    folder.write_text("no folder")
    last_known.remember(of())
    assert last_known.recall() is None
    assert last_known.completed(of(**at.without_broker()))["stale"] is True


def test_of_another_window_the_usual_one_is_better_than_nothing() -> None:
    last_known.remember(of())
    assert last_known.recall("72h", now=LATER) == last_known.recall("1h", now=LATER)
