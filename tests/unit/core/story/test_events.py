"""A job's life in the order in which it went."""

from datetime import timedelta

from apps.core.schedules.models import Firing
from apps.core.story import Working, events

from .lives import NOW, delayed, leased, letter, row, run, told


def ago(seconds: float) -> object:
    return NOW - timedelta(seconds=seconds)


def titles(**facts: object) -> list[str]:
    return [event.title for event in events(told(**facts))]


def test_a_whole_life_is_told_from_its_firing_to_its_dead_letter() -> None:
    firing = Firing(entry="nightly", due=ago(600), enqueued_at=ago(599))
    runs = (
        run("retried", ago=500, ready_at=ago(590), wait_seconds=1.5, run_seconds=30.0, worker="a@host", pid=7),
        run("failed", ago=100, attempt=2, reason="permanent", error="ValueError", error_text="no <b>such</b> site"),
    )
    given_up = letter(last_at=ago(99), closed_at=ago(10), state="discarded")
    row_of_it = row(created_at=ago(598), published_at=ago(595), durable=True)
    story = told(firing=firing, runs=runs, letters=(given_up,), row=row_of_it, state="FAILURE")
    found = events(story)
    assert [event.title for event in found] == [
        "Entry nightly of the timetable was due",
        "Enqueued by a beat",
        "Written to the outbox",
        "Published by the relay",
        "Ready to run: from here on its wait counts",
        "Attempt 1 failed, to be retried",
        "Attempt 2 failed for good",
        "Given up: permanent",
        "Discarded: not to be run again",
        "Stored result: FAILURE",
    ]
    assert dict(found[5].details) == {"waited": "1.5s", "ran": "30s", "worker": "a@host (pid 7)"}
    assert dict(found[6].details) == {"reason": "permanent", "error": "ValueError: no <b>such</b> site"}


def test_a_duplicate_that_asks_every_second_is_one_event() -> None:
    runs = (*(run("waited", ago=60 - number) for number in range(50)), run("deduplicated", ago=5))
    first, second = events(told(runs=runs))
    assert first.title == "It waits for another job with the same key"
    assert dict(first.details) == {"asked": "50 times"}
    assert first.at == ago(11)
    assert second.title.startswith("It was not needed")


def test_what_is_now_comes_last_and_names_who_works() -> None:
    working = Working(node="a@host", pid=7, since=ago(3))
    assert titles(whereabouts=leased(), working=working, runs=(run("retried"),)) == [
        "Attempt 1 failed, to be retried",
        "Runs now on a@host",
    ]
    assert titles(whereabouts=delayed(), runs=(run("retried"),))[-1] == "May start again in email"


def test_troubles_are_told_once_though_two_remember_them() -> None:
    line = f"{NOW.timestamp() - 30} process_died owner-1"
    story = told(letters=(letter(history=[line]),))
    assert [event.title for event in events(story)] == ["Process died", "Given up: permanent"]
    assert titles(letters=(letter(history=["no moment"]),))[-1] == "Moment"
