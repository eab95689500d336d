"""What is said of each situation, word for word."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Final

import pytest

from apps.core.broker.status import QuarantineStatus
from apps.core.health.database import DatabaseFacts
from apps.core.health.problem import CODES
from apps.core.health.verdict import verdict
from apps.core.queues import QUEUES

from . import situations as at
from .situations import NOW, SERVER, ago, late, well, worker

FUSE: Final = SimpleNamespace(task="send_mail", until=at.seconds(NOW + timedelta(minutes=30)), why="ann: it loops")
IDLE_ELSEWHERE: Final = (worker("one@host", "reports"),)
FULL: Final = (worker("one@host", "critical", "reports", jobs=[at.job("make_report", 312)], reports=8),)
SITUATIONS: Final[dict[str, tuple[dict[str, Any], str]]] = {
    "nothing is wrong": ({}, "All is well: 0 jobs wait, none for longer than its queue allows, with 1 worker."),
    "some wait in time": (
        late("critical", 1.5, serve=1),
        "All is well: 3 jobs wait, none for longer than its queue allows, with 1 worker.",
    ),
    "there are no workers, and nothing to do": (
        {"workers": ()},
        "All is well: 0 jobs wait, none for longer than its queue allows. No worker runs.",
    ),
    "the broker is a stock one": (
        {"workers": None, "unknown": {"numbers": "the broker is no leased:// one, so nothing is counted"}},
        "All that is known is well: 0 jobs wait, none for longer than its queue allows. Not known: workers, numbers.",
    ),
    "one part cannot be read": (
        {"given_up": None, "unknown": {"given_up": "ProgrammingError: no such table"}},
        "All that is known is well: 0 jobs wait, none for longer than its queue allows, with 1 worker. "
        "Not known: given_up.",
    ),
    "the broker is down": (
        at.without_broker(),
        "The broker cannot be asked: ConnectionError: refused. Start the server, or correct BROKER_URL. "
        "Workers wait for it, and nothing is lost meanwhile.",
    ),
    "broker and database are down": (
        at.without_broker() | at.without_database(),
        "The broker cannot be asked: ConnectionError: refused. Start the server, or correct BROKER_URL. "
        "Workers wait for it, and nothing is lost meanwhile.",
    ),
    "the database is down": (
        at.without_database(),
        "The database does not answer, so jobs in transactions and durable jobs cannot be enqueued: "
        "OperationalError: refused. "
        "Start it, or correct DATABASE_URL. Rows that are written already stay and are published later.",
    ),
    "the broker is full": (
        at.broker(refused="OOM command not allowed"),
        "The broker takes no writes, so no job can start: OOM command not allowed. Give it memory or disk, or point "
        "BROKER_URL at the master. Workers go on by themselves.",
    ),
    "no worker runs at all": (
        late("critical", 7.4, ready=212, serve=0) | {"workers": ()},
        "No worker runs, and 212 jobs have waited since 11:20 in critical. Start the workers; they go on by "
        "themselves.",
    ),
    "no worker runs since yesterday": (
        late("ml_training", 86400.0, serve=0) | {"workers": (worker(alive=False),)},
        "No worker runs, and 3 jobs have waited since 2026-11-22 11:20 in ml_training. Start the workers; they go on "
        "by themselves.",
    ),
    "nobody serves a queue that is late": (
        late("critical", 7.4, serve=0) | {"workers": IDLE_ELSEWHERE},
        "critical has been late since 11:20 (oldest waits 7.4 s of 2 s): no worker serves it. "
        "Start a worker for critical.",
    ),
    "nobody is seen to serve it, and workers do not say what they serve": (
        late("critical", 7.4, serve=0) | {"workers": (worker("one@host", card=False, reports=8),)},
        "critical has been late since 11:20 (oldest waits 7.4 s of 2 s): no worker serves it. "
        "Start a worker for critical. One that is full of another queue's jobs needs more slots.",
    ),
    "nobody serves a queue that is not late yet": (
        late("reports", 42.0, serve=0) | {"workers": (worker("one@host", "critical"),)},
        "3 jobs have waited in reports since 11:19: no worker serves it. Start a worker for reports.",
    ),
    "those who serve it are full of another queue's jobs": (
        late("critical", 7.4, serve=0) | {"workers": FULL},
        "critical has been late since 11:20 (oldest waits 7.4 s of 2 s): all 8 slots that serve it are busy, "
        "the longest with make_report for 5m 12s. "
        "Start more workers for critical, or let long jobs have a pool of their own.",
    ),
    "one long job holds a queue": (
        late("reports", 660.0) | {"workers": FULL},
        "reports has been late since 11:10 (oldest waits 11 min of 60 s): all 8 slots that serve it are busy, "
        "the longest with make_report for 5m 12s. "
        "Start more workers for reports, or let long jobs have a pool of their own.",
    ),
    "more arrives than ends": (
        at.queues("email", at.numbers(arrive=80, end=60), ready=9, oldest_age_seconds=9.0, waits=0),
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): 80 jobs a minute arrive and 60 end. "
        "Start more workers for email.",
    ),
    "it is late, and nothing says why": (
        late("email", 9.0),
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): all 8 slots that serve it are busy. "
        "Start more workers for email, or look for one slow job.",
    ),
    "a short job is long for a short SLA": (
        late("critical", 7.4)
        | {"workers": (worker("one@host", "critical", jobs=[at.job("patrol", 6)], critical=8),)},
        "critical has been late since 11:20 (oldest waits 7.4 s of 2 s): all 8 slots that serve it are busy, "
        "the longest with patrol for 6s. "
        "Start more workers for critical, or let long jobs have a pool of their own.",
    ),
    "a few arrive and none has ended": (
        at.queues("email", at.numbers(arrive=1.2, end=0), ready=9, oldest_age_seconds=9.0, waits=0),
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): all 8 slots that serve it are busy. "
        "Start more workers for email, or look for one slow job.",
    ),
    "a worker has free slots and takes nothing": (
        late("email", 9.0) | {"workers": (worker("one@host", "email", busy=3),)},
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): 3 of the 8 slots that serve it are busy, "
        "and the others do not take its jobs. Read the log of its workers; restart one that hangs.",
    ),
    "it is late, and workers say nothing": (
        late("email", 9.0) | {"workers": (worker("one@host", card=False, email=8),)},
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): all workers that serve it are busy. "
        "Start more workers for email, or look for one slow job.",
    ),
    "it is late while a worker waits for it": (
        late("email", 9.0, waits=1),
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): a worker is just being woken. "
        "Look again; if it stays so, read the log of its worker.",
    ),
    "it is late on a stock broker": (
        late("email", 9.0, serve=None, waits=None) | {"workers": None},
        "email has been late since 11:20 (oldest waits 9.0 s of 5 s): who serves it is not known. "
        "Start more workers for email, or look for one slow job.",
    ),
    "a beat has died": (
        at.timetable(overdue={"auto_close_jobs": ago(minutes=8)}) | {"beats": ()},
        "auto_close_jobs was due at 11:12 and no beat has seen to it: no beat runs. "
        "Start a beat; it catches up as each entry says.",
    ),
    "a beat hangs": (
        at.timetable(overdue={"a": ago(minutes=3), "b": ago(minutes=8), "c": ago(minutes=2)}),
        "b was due at 11:12 and no beat has seen to it, nor to 2 other entries: "
        "a beat runs, but does not reach the database or hangs. Look into the log of beat.",
    ),
    "whether a beat runs is not known": (
        at.timetable(overdue={"a": ago(minutes=8)}) | {"beats": None},
        "a was due at 11:12 and no beat has seen to it: no beat runs, or none reaches the database. "
        "Start a beat; it catches up as each entry says.",
    ),
    "a beat has died and nothing is due yet": (
        {"beats": ()},
        "No beat runs; the next entry is due at 11:27. Start a beat; it catches up as each entry says.",
    ),
    "no beat has ever run": (
        at.timetable(entries=(at.entry(seen=False),)) | {"beats": ()},
        "All is well: 0 jobs wait, none for longer than its queue allows, with 1 worker.",
    ),
    "the outbox is stuck": (
        at.outbox(7, 75.0) | {"beats": ()},
        "7 rows of the outbox have waited for a relay since 11:18 (the oldest 1m 15s); jobs may be missing on "
        "the broker: no relay runs. Start a beat, or `manage.py jobs relay`.",
    ),
    "the outbox is stuck though a beat runs": (
        at.outbox(7, 75.0),
        "7 rows of the outbox have waited for a relay since 11:18 (the oldest 1m 15s); jobs may be missing on "
        "the broker: no relay runs, or none reaches broker and database. Start a beat, or `manage.py jobs relay`.",
    ),
    "a queue is paused and its jobs are late": (
        late("reports", 75.0, pause=at.pause()),
        "reports has been late since 11:19 (oldest waits 75.0 s of 60 s): ann paused it: the disk is full. "
        "Resume reports: manage.py jobs resume reports --reason …",
    ),
    "a queue is paused": (
        at.queues("reports", pause=at.pause()),
        "reports is paused: ann paused it: the disk is full. "
        "Resume reports: manage.py jobs resume reports --reason …",
    ),
    "a queue is paused for a while": (
        late("reports", 5.0, pause=at.pause("by nobody", NOW + timedelta(hours=1))),
        "reports is paused until 12:20, and 3 jobs wait: by nobody. "
        "Resume reports: manage.py jobs resume reports --reason …",
    ),
    "the engine's own server is down": (
        {"breakers": None, "unknown": {"store": "TimeoutError: no answer"}},
        "The server of idempotency keys and breakers cannot be asked: TimeoutError: no answer. "
        "Start it, or correct store_url in BGJOBS. Idempotent jobs wait for it.",
    ),
    "a service is down": (
        {"breakers": (at.breaker(), at.breaker("closed"))},
        "weather keeps failing and is not called since 11:15: 41 jobs are parked. "
        "It is tried again by itself, and its jobs follow. Is the service down, or the way to it?",
    ),
    "a task is fused": (
        {"fuses": (FUSE,)},
        "Jobs of send_mail do not start until 11:50: ann has fused it: it loops. "
        "Let them go on: manage.py jobs unfuse send_mail --reason …",
    ),
    "the error budget burns fast": (
        at.queues("critical", at.numbers(M5=0.5, H1=0.8, H24=0.97)),
        "20.0% of the jobs of critical have started late in the last 1h, where 1.0% may: "
        "its error budget is used up 20.0 times faster than planned. "
        "Start more workers for critical, or look for what keeps them busy.",
    ),
    "it burns slowly": (
        at.queues("critical", at.numbers(M5=0.5, H1=0.93, H24=0.93)),
        "7.0% of the jobs of critical have started late in the last 24h, where 1.0% may: "
        "its error budget is used up 7.0 times faster than planned. "
        "Start more workers for critical, or look for what keeps them busy.",
    ),
    "it burned an hour ago": (
        at.queues("critical", at.numbers(M5=1.0, H1=0.8, H24=0.97)),
        "All is well: 0 jobs wait, none for longer than its queue allows, with 1 worker.",
    ),
    "one of the few that started was late": (
        at.queues("critical", at.numbers(started=20, M5=0.5, H1=0.8, H24=0.97)),
        "All is well: 0 jobs wait, none for longer than its queue allows, with 1 worker.",
    ),
    "nothing has started in the last five minutes": (
        at.queues("critical", at.numbers(M5=None, H1=0.8, H24=0.97)),
        "All is well: 0 jobs wait, none for longer than its queue allows, with 1 worker.",
    ),
    "dead letters grow": (
        at.given_up(at.trouble(), count=20, last_hour=20, hour_before=3),
        "20 jobs were given up in the last hour, 3 in the hour before: most are send_mail with "
        "SMTPServerDisconnected. Mend the cause, then retry them by fingerprint.",
    ),
    "jobs fail in a new way": (
        at.given_up(at.trouble(is_new=True), count=12, last_hour=2, hour_before=10),
        "send_mail fails in a new way since 10:50 (12 jobs): SMTPServerDisconnected. "
        "manage.py jobs dead-letters --fingerprint ffffffffffffffff says more; then retry them.",
    ),
    "dead letters are open": (
        at.given_up(at.trouble(), count=12),
        "12 jobs were given up: 12 permanent. "
        "manage.py jobs dead-letters --group says why; then jobs retry or jobs discard, with --fingerprint.",
    ),
    "firings never ran": (
        at.timetable(never_ran={"a": 1, "b": 2}),
        "Firings of the last 24 hours that never ran: a 1, b 2. "
        "Was no beat running, or did no worker take them in time? `jobs fire ENTRY` makes up for one.",
    ),
    "firings were late": (
        at.timetable(late={"a": 1}),
        "Firings of the last 24 hours that started more than 60 s late, or have not: a 1. "
        "Are there workers and free slots for their queues?",
    ),
    "an entry is paused": (
        at.timetable(entries=(at.entry(pause=at.entry_pause()),)),
        "auto_close_jobs is not fired until somebody resumes it: ann paused it: the site moves. "
        "Resume it: manage.py jobs resume-entry auto_close_jobs --reason …",
    ),
    "memory is short": (
        at.broker(facts=replace(SERVER, memory_used=810)),
        "The broker has used 81% of its memory; at 100 % it takes no jobs. "
        "Raise maxmemory, or start workers for the longest queue.",
    ),
    "the broker throws keys away": (
        at.broker(facts=replace(SERVER, evicted_keys=5)),
        "The broker has thrown 5 keys away since it started: jobs may be lost. "
        "Set maxmemory-policy noeviction, and raise maxmemory.",
    ),
    "connections are short": (
        {"database": DatabaseFacts(version="18.1", connections_used=95, connections_max=100, size_bytes=1)},
        "95 of PostgreSQL's 100 connections are in use. "
        "Raise max_connections, or run fewer processes; without a connection jobs fail.",
    ),
    "a worker is silent": (
        {"workers": (worker(), worker("two@host", alive=False, email=2))},
        "two@host:1:abc is silent and holds 2 messages. "
        "A living worker gives them back within seconds: start one, of whatever queue.",
    ),
    "messages are in quarantine": (
        at.broker(quarantine=QuarantineStatus(count=3, by_reason={"poison": 3}, looked_at=3)),
        "3 in quarantine: 3 poison. "
        "They become dead letters by themselves: is a relay running? manage.py jobs quarantine lists them.",
    ),
    "the history is not written": (
        {"runs_to_archive": 16_000},
        "16000 entries of ended attempts, each of up to 16, wait to be archived; "
        "of more than 20000 the oldest are lost to the history. "
        "Start a relay: a beat, or `manage.py jobs relay`.",
    ),
    "stock workers hold messages": (
        at.broker(claimed_by_stock=4),
        "4 messages are with workers of the stock transport, dead or alive. "
        "Once those are stopped: manage.py jobs migrate --from-stock --reason …",
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_each_situation_has_its_sentence(name: str) -> None:
    changes, sentence = SITUATIONS[name]
    assert verdict(well(**changes)).sentence == sentence


def test_the_situations_meet_every_problem_there_is() -> None:
    found = [verdict(well(**changes)).problems for changes, _ in SITUATIONS.values()]
    assert {one.code for problems in found for one in problems} == set(CODES)


@pytest.mark.parametrize("name", SITUATIONS)
def test_no_two_problems_say_the_same_and_none_gives_itself_as_its_cause(name: str) -> None:
    problems = verdict(well(**SITUATIONS[name][0])).problems
    assert len({one.message for one in problems}) == len(problems)
    assert not [one for one in problems if one.cause and one.cause in one.message]


@pytest.mark.parametrize(
    ("name", "codes"),
    [
        ("no worker runs at all", ["no_workers", "queue_over_sla"]),
        ("no worker runs since yesterday", ["no_workers", "queue_over_sla"]),
        ("nobody serves a queue that is late", ["queue_without_consumer"]),
        ("nobody serves a queue that is not late yet", ["queue_without_consumer"]),
        ("those who serve it are full of another queue's jobs", ["queue_over_sla"]),
        ("one long job holds a queue", ["queue_over_sla"]),
        ("a queue is paused and its jobs are late", ["queue_paused"]),
        ("the error budget burns fast", ["sla_burns_fast"]),
        ("jobs fail in a new way", ["failure_new", "dead_letters_open"]),
    ],
)
def test_one_trouble_is_told_by_one_rule(name: str, codes: list[str]) -> None:
    assert [one.code for one in verdict(well(**SITUATIONS[name][0])).problems] == codes


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("nothing is wrong", "ok"),
        ("a queue is paused", "degraded"),
        ("a queue is paused and its jobs are late", "critical"),
        ("the database is down", "critical"),
        ("the broker is down", "unknown"),
        ("broker and database are down", "unknown"),
        ("dead letters are open", "degraded"),
        ("the error budget burns fast", "critical"),
    ],
)
def test_its_status_is_that_of_the_worst_problem(name: str, status: str) -> None:
    assert verdict(well(**SITUATIONS[name][0])).status == status


@pytest.mark.parametrize(
    ("name", "action", "target"),
    [
        ("a queue is paused", "resume", "reports"),
        ("firings never ran", "fire", "b"),
        ("an entry is paused", "resume_entry", "auto_close_jobs"),
        ("jobs fail in a new way", "retry", "f" * 16),
        ("a task is fused", "unfuse", "send_mail"),
        ("nobody serves a queue that is late", None, None),
        ("nothing is wrong", None, None),
    ],
)
def test_it_names_the_button_that_repairs_it(name: str, action: str | None, target: str | None) -> None:
    found = verdict(well(**SITUATIONS[name][0]))
    assert (found.action, found.target) == (action, target)


def test_the_likeliest_cause_goes_before_what_follows_from_it() -> None:
    everything = (
        late("critical", 7.4, serve=0)
        | {"workers": IDLE_ELSEWHERE, "beats": (), "breakers": (at.breaker(),), "runs_to_archive": 18_000}
        | at.timetable(overdue={"a": ago(minutes=8)}, never_ran={"a": 1})
        | at.outbox(7, 75.0)
        | at.given_up(at.trouble(is_new=True), count=12)
    )
    assert [one.code for one in verdict(well(**everything)).problems] == [
        "queue_without_consumer",
        "beat_silent",
        "outbox_waits",
        "breaker_open",
        "failure_new",
        "dead_letters_open",
        "firings_lost",
        "runs_not_archived",
    ]


def test_late_counts_from_the_moment_at_which_the_sla_was_over() -> None:
    found = verdict(well(**late("reports", 660.0)))
    assert found.since == ago(seconds=600)


@pytest.mark.parametrize("one", QUEUES, ids=lambda one: one.name)
def test_a_queue_is_late_only_beyond_its_sla(one: Any) -> None:
    assert verdict(well(**late(one.name, one.sla_seconds, waits=1))).status == "ok"
    assert verdict(well(**late(one.name, one.sla_seconds + 0.1, waits=1))).status == "critical"
