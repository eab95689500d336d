"""Searching the history: what is found, in which order, and what is said where the time was too short."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from apps.core.runs import search as searching
from apps.core.runs.models import JobRun
from apps.core.runs.patience import TookTooLongError, at_most
from apps.core.runs.query import BadQueryError, RunQuery
from apps.core.runs.search import BoundReached, Counted, Cursor, Page, count, search

from .made import NOW, a_run, written

pytestmark = pytest.mark.django_db
JOB = "0b7c7f6e-9f5c-4a51-8a55-6f5a3a2d0c11"
HOUR = timedelta(hours=1)


def found(text: str, **options: Any) -> Page:
    return search(RunQuery.parse(text), now=NOW, **options)


def jobs(text: str) -> list[str]:
    return [run.job for run in found(text).runs]


def test_each_field_finds_what_has_it_the_newest_first() -> None:
    written(
        a_run(3 * HOUR, job="a", args="(4711, 'Anna')", tenant="7"),
        a_run(2 * HOUR, job="b", event="failed", error="ReadTimeout", error_text="100 % of it", fingerprint="f"),
        a_run(1 * HOUR, job="c", event="lost", queue="critical", task="close", kwargs="{'who': 'anna'}"),
        a_run(0 * HOUR, job=JOB, event="retried", error="ValueError", error_text="no number", idempotency_key="k:1"),
        a_run(4 * HOUR, job="e", entry="nightly"),
    )
    assert jobs("") == [JOB, "c", "b", "a", "e"]
    assert jobs("task:close") == ["c"]
    assert jobs("queue:email") == [JOB, "b", "a", "e"]
    assert jobs("state:succeeded") == ["a", "e"]
    assert jobs("state:failed state:retried") == [JOB, "b"]
    assert jobs("error:timeout") == ["b"]
    assert jobs('error:"100 %"') == ["b"]
    assert jobs("error:NUMBER") == [JOB]
    assert jobs("ANNA") == ["c", "a"]
    assert jobs("arg:anna 4711") == ["a"]
    assert jobs("arg:471") == []
    assert jobs("tenant:7") == ["a"]
    assert jobs(JOB) == jobs("key:k:1") == [JOB]
    assert jobs("fingerprint:f") == ["b"]
    assert jobs("entry:nightly") == ["e"]
    assert jobs("since:2h") == [JOB, "c", "b"]
    assert jobs("since:3h until:1h") == ["b", "a"]
    assert jobs("queue:email state:succeeded since:3h 4711 tenant:7 task:send_mail") == ["a"]


def test_pages_follow_each_other_without_gap_and_overlap() -> None:
    """Also where many have ended at the same moment, and where newer ones come in between."""
    ended = [HOUR * (number // 4) for number in range(23)]
    written(*(a_run(ago, job=f"{number}") for number, ago in enumerate(ended)))
    everything = [run.job for run in search(RunQuery(), limit=1000, now=NOW).runs]
    seen: list[str] = []
    page = found("", limit=5)
    while True:
        assert page.bound is None
        seen += [run.job for run in page.runs]
        written(a_run(-HOUR))
        if page.next is None:
            break
        page = found("", limit=5, before=Cursor.parse(str(page.next)))
    assert seen == everything
    assert len(seen) == 23


@pytest.mark.parametrize(
    "text", ["", "5", "5.", "x.1", "1.2.3", "9" * 30 + ".1", "-99999999999999999.1", "1.-1", "²1.1"]
)
def test_a_cursor_that_is_none_is_an_error_in_words(text: str) -> None:
    with pytest.raises(BadQueryError, match="begin with the first page"):
        Cursor.parse(text)


def test_what_matches_is_counted_up_to_a_bound() -> None:
    written(*(a_run() for _ in range(5)), a_run(task="close"))
    assert count(RunQuery(task="send_mail"), now=NOW) == Counted(number=5, complete=True)
    assert count(RunQuery(task="send_mail"), 5, now=NOW) == Counted(number=5, complete=True)
    assert count(RunQuery(), 5, now=NOW) == Counted(number=5, complete=False)


@pytest.fixture
def slow_beyond(monkeypatch: pytest.MonkeyPatch) -> Callable[[timedelta], None]:
    """The database takes too long for every question that goes back further than this."""
    take = searching._take

    def after(ago: timedelta) -> None:
        def slow(runs: Any, limit: int, seconds: float, **planning: str) -> list[JobRun]:
            if runs.filter(ended_at__lt=NOW - ago).exists():
                raise TookTooLongError
            return take(runs, limit, seconds, **planning)

        monkeypatch.setattr(searching, "_take", slow)

    return after


def test_a_search_that_takes_too_long_says_how_far_it_came(slow_beyond: Callable[[timedelta], None]) -> None:
    written(*(a_run(HOUR * hours, job=f"{hours}") for hours in (0, 2, 5, 8, 30)))
    slow_beyond(7 * HOUR)
    page = found("task:send_mail")
    assert [run.job for run in page.runs] == ["0", "2", "5"]
    assert page.bound is not None
    assert page.bound.back_to == NOW - 6 * HOUR
    assert "since:2h" in page.bound.advice
    assert "task" not in page.bound.advice
    assert page.next is not None
    slow_beyond(100 * HOUR)
    assert [run.job for run in found("task:send_mail", before=page.next).runs] == ["8", "30"]


def test_a_full_page_needs_no_bound(slow_beyond: Callable[[timedelta], None]) -> None:
    written(*(a_run(HOUR * hours, job=f"{hours}") for hours in (0, 2, 5, 8, 30)))
    slow_beyond(7 * HOUR)
    page = found("", limit=2)
    assert ([run.job for run in page.runs], page.bound) == (["0", "2"], None)
    assert [run.job for run in found("", limit=2, before=page.next).runs] == ["5"]


def test_a_search_that_comes_nowhere_says_so(slow_beyond: Callable[[timedelta], None]) -> None:
    written(a_run(tenant="7"))
    slow_beyond(-HOUR)
    page = found("since:3h task:send_mail tenant:7")
    assert (page.runs, page.next) == ((), None)
    assert page.bound == BoundReached(back_to=None, advice="Choose a shorter time.")


def test_a_search_that_was_only_too_slow_at_once_is_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    written(*(a_run(HOUR * hours, job=f"{hours}") for hours in (0, 2, 5, 8, 3000)))
    take, asked = searching._take, []

    def slow_at_first(*arguments: Any) -> list[JobRun]:
        asked.append(arguments)
        if len(asked) == 1:
            raise TookTooLongError
        return take(*arguments)

    monkeypatch.setattr(searching, "_take", slow_at_first)
    page = found("")
    assert ([run.job for run in page.runs], page.next, page.bound) == (["0", "2", "5", "8", "3000"], None, None)
    asked.clear()
    assert [run.job for run in found("since:4h").runs] == ["0", "2"]


def test_words_that_only_old_runs_have_are_looked_for_by_their_index(monkeypatch: pytest.MonkeyPatch) -> None:
    written(a_run(HOUR, job="a", args="anna"), a_run())
    take, asked = searching._take, []

    def slow_without(runs: Any, limit: int, seconds: float, **planning: str) -> list[JobRun]:
        asked.append(planning)
        if not planning:
            raise TookTooLongError
        return take(runs, limit, seconds, **planning)

    monkeypatch.setattr(searching, "_take", slow_without)
    assert jobs("anna") == ["a"]
    assert asked == [{}, {"enable_indexscan": "off"}]


def test_the_database_itself_ends_what_takes_too_long() -> None:
    with pytest.raises(TookTooLongError), at_most(0.05), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(10)")
    assert limit() == "0"
    with at_most(5):
        assert limit() == "5s"
    assert limit() == "0"
    with pytest.raises(OperationalError), transaction.atomic(), at_most(5), connection.cursor() as cursor:
        cursor.execute("DO $$ BEGIN RAISE lock_not_available; END $$")
    assert limit() == "0"


def limit() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        return str(cursor.fetchone()[0])
