"""Each situation that a job can be in has its sentences."""

from datetime import timedelta

import pytest

from apps.core.broker.depths import Pause
from apps.core.broker.quarantine import Quarantined
from apps.core.story import Story, Working, verdict
from apps.core.story.facts import Stop

from .lives import (
    NOW,
    OWNER,
    delayed,
    key,
    leased,
    letter,
    place,
    row,
    run,
    seconds,
    told,
    waiting,
    where,
)

QUARANTINED = Quarantined(
    name="n",
    kept_as="n",
    reason="poison",
    detail="",
    since=seconds(),
    queue="email",
    list="email",
    history=(),
    task="t",
    job="job-1",
    text=b"",
)
STOP = Stop(until=NOW + timedelta(minutes=30), why="ann: it spams")
FOR_GOOD = Pause(until=None, why="ann: maintenance")
FOR_A_WHILE = Pause(until=seconds(600), why="ann: maintenance")
MANY = [
    "It waits in email, behind 3 others.",
    "Of email about 80 jobs end in a minute now: its turn comes in about 2.2s.",
]

SITUATIONS: dict[str, tuple[Story, list[str]]] = {
    "waits": (told(whereabouts=waiting()), ["It waits in email, behind 3 others."]),
    "waits, and its queue moves": (
        told(whereabouts=waiting(), served={"email": True}, finishing={"email": 80.0}),
        MANY,
    ),
    "waits, and nothing ends": (
        told(whereabouts=waiting(), served={"email": True}, finishing={"email": 0.0}),
        [MANY[0], "No job of email has ended within the last minutes: is a long one running?"],
    ),
    "waits, and is the next": (
        told(whereabouts=waiting(0), served={"email": True}, finishing={"email": 1.0}),
        ["It waits in email, behind 0 others."],
    ),
    "waits, and nobody serves": (
        told(whereabouts=waiting(), served={"email": False}, finishing={"email": 0.0}),
        [MANY[0], "No living worker serves email: start one."],
    ),
    "waits in a paused queue": (
        told(whereabouts=waiting(), pauses={"email": FOR_GOOD}, finishing={"email": 80.0}),
        [
            "It waits in email, which is paused (ann: maintenance), behind 3 others.",
            "The pause of email lasts until somebody resumes it.",
        ],
    ),
    "waits in a queue that is paused for a while": (
        told(whereabouts=waiting(), pauses={"email": FOR_A_WHILE}),
        [
            "It waits in email, which is paused (ann: maintenance), behind 3 others.",
            "The pause of email ends by itself at 2026-11-26T02:10:00Z.",
        ],
    ),
    "waits, revoked": (
        told(whereabouts=where(place("waiting", ahead=1), revoked_at=seconds(-5))),
        [
            "It waits in email, behind 1 others.",
            "It was revoked: it will not start, and is dropped when it is claimed.",
        ],
    ),
    "waits, fused": (
        told(whereabouts=waiting(), stop=STOP),
        [
            MANY[0],
            "Its task is fused until 2026-11-26T02:30:00Z (ann: it spams): a worker that takes the job parks it.",
        ],
    ),
    "waits, unknown": (
        told(whereabouts=waiting(task="send_mial"), strange_to="send_mail"),
        [
            MANY[0],
            "No task 'send_mial' is known here; did you mean 'send_mail'? "
            "A worker that does not know it either sets it aside.",
        ],
    ),
    "waits, unknown, and like no other": (
        told(whereabouts=waiting(task="x"), strange_to=""),
        [MANY[0], "No task 'x' is known here. A worker that does not know it either sets it aside."],
    ),
    "waits, and expires": (
        told(whereabouts=waiting(expires="2026-11-26T02:05:00+00:00")),
        [MANY[0], "It expires at 2026-11-26T02:05:00Z: if it has not started by then, it is dropped."],
    ),
    "waits, expired": (
        told(whereabouts=waiting(expires="2026-11-26T01:55:00")),
        [MANY[0], "It expired at 2026-11-26T01:55:00Z: it is dropped when it is claimed."],
    ),
    "delayed by its eta": (
        told(whereabouts=delayed()),
        ["It is delayed in email until 2026-11-26T02:01:00Z: its time has not come."],
    ),
    "delayed, and overdue": (
        told(whereabouts=delayed(-5), served={"email": False}),
        [
            "It was delayed in email until 2026-11-26T01:59:55Z: a living worker lets it wait in its queue within a "
            "second.",
            "No living worker serves email: start one.",
        ],
    ),
    "delayed for a retry": (
        told(
            whereabouts=delayed(retries=2),
            most_retries=5,
            runs=(run("retried"), run("retried", attempt=2, reason="transient", error="TimeoutError")),
        ),
        ["It is delayed in email until 2026-11-26T02:01:00Z: that is retry 2 of 5, after TimeoutError in attempt 2."],
    ),
    "delayed for a retry that nobody has recorded": (
        told(whereabouts=delayed(retries=2)),
        ["It is delayed in email until 2026-11-26T02:01:00Z: that is retry 2."],
    ),
    "a duplicate": (
        told(whereabouts=delayed(1), key=key("running", "job-2")),
        ["It waits in email for job job-2, which has the same key, and asks again at 2026-11-26T02:00:01Z."],
    ),
    "delayed, with a key of its own": (
        told(whereabouts=delayed(retries=1), key=key("waiting_retry", "job-1")),
        ["It is delayed in email until 2026-11-26T02:01:00Z: that is retry 1."],
    ),
    "parked by a breaker": (
        told(whereabouts=delayed(), parked_behind="mqtt", parked_until=NOW + timedelta(seconds=90)),
        [
            "It is parked in email: mqtt keeps failing and is not called now.",
            "It asks for mqtt again at 2026-11-26T02:01:30Z.",
        ],
    ),
    "delayed, and its task fused": (
        told(whereabouts=delayed(retries=1), stop=STOP),
        [
            "It is delayed in email until 2026-11-26T02:01:00Z: that is retry 1.",
            "Its task is fused until 2026-11-26T02:30:00Z (ann: it spams): a worker that takes the job parks it.",
        ],
    ),
    "parked by a fuse": (
        told(whereabouts=delayed(1800), stop=STOP),
        [
            "It is parked in email until 2026-11-26T02:30:00Z: its task is fused until 2026-11-26T02:30:00Z (ann: it "
            "spams)."
        ],
    ),
    "runs": (
        told(whereabouts=leased(), working=Working(node="a@host", pid=7, since=NOW - timedelta(seconds=75))),
        ["It runs on a@host (pid 7) since 2026-11-26T01:58:45Z, for 1m 15s."],
    ),
    "is held by a worker that says nothing": (
        told(whereabouts=leased()),
        [f"It is in the hands of {OWNER}, which is alive: it runs, or is about to."],
    ),
    "its lease is lost": (
        told(whereabouts=leased(alive=False), silent_since=NOW - timedelta(seconds=3), served={"email": True}),
        [
            f"It is in the hands of {OWNER}, which is silent since 2026-11-26T01:59:57Z: a living worker gives it "
            "back in seconds."
        ],
    ),
    "its lease is lost, and nobody lives": (
        told(whereabouts=leased(alive=False), served={"email": False}),
        [
            f"It is in the hands of {OWNER}, which is silent: a living worker gives it back in seconds.",
            "No living worker serves email: start one.",
        ],
    ),
    "set aside": (
        told(whereabouts=where(place("quarantined", quarantined=QUARANTINED))),
        ["It has just been set aside (poison), and becomes a dead letter once a relay runs."],
    ),
    "runs, and waits once more": (
        told(whereabouts=where(place("delayed", due=seconds(60)), place("leased", owner=OWNER, owner_alive=True))),
        [
            f"It is in the hands of {OWNER}, which is alive: it runs, or is about to.",
            "It is delayed in email until 2026-11-26T02:01:00Z: its time has not come.",
        ],
    ),
    "in the outbox": (
        told(row=row()),
        [
            "It is in the outbox and was not published yet: is a relay running, and the broker up?",
            "It was written 2026-11-26T01:58:30Z, 1m 30s ago.",
        ],
    ),
    "in the outbox, for later": (
        told(row=row(due=seconds(60))),
        [
            "It is in the outbox and was not published yet: is a relay running, and the broker up?",
            "It was written 2026-11-26T01:58:30Z, 1m 30s ago.",
            "Its time comes at 2026-11-26T02:01:00Z anyway.",
        ],
    ),
    "in the outbox, and the broker is down": (
        told(row=row(durable=True, published_at=NOW), whereabouts=None, unknown=["the broker (ConnectionError)"]),
        [
            "It is durable, published and not done. Where it is now is not known.",
            "Unknown: the broker (ConnectionError).",
        ],
    ),
    "durable and lost": (
        told(row=row(durable=True, published_at=NOW)),
        [
            "It is durable, published and not done. It was not found on the broker: the relay publishes it again.",
        ],
    ),
    "durable, further back than was looked": (
        told(row=row(durable=True, published_at=NOW), whereabouts=where(complete=False), looked_at=5000),
        [
            "It is durable, published and not done. It was not found among the messages that were looked at.",
            "Only the first 5,000 messages of each list were looked at: it may wait further back.",
        ],
    ),
    "given up": (
        told(letters=(letter(),), runs=(run("failed"),), state="FAILURE"),
        [
            "It was given up: permanent (ValueError). It will not run again by itself: `jobs retry 12 --reason …` or "
            "`jobs discard 12 --reason …`.",
            "Its stored result says FAILURE.",
        ],
    ),
    "discarded": (
        told(letters=(letter(state="discarded"),), runs=(run("failed", reason="permanent", error="ValueError"),)),
        [
            "It failed for good at 2026-11-26T01:59:00Z, in attempt 1: permanent: ValueError.",
            "It was given up, and its dead letter is discarded.",
        ],
    ),
    "replayed, and done": (
        told(
            letters=(letter(state="replayed"),),
            runs=(run("failed"), run("succeeded", run_seconds=2.5)),
            state="SUCCESS",
        ),
        ["It is done: attempt 1 succeeded at 2026-11-26T01:59:00Z after 2.5s.", "Its stored result says SUCCESS."],
    ),
    "done, and queues are long": (
        told(runs=(run("succeeded"),), whereabouts=where(complete=False)),
        ["It is done: attempt 1 succeeded at 2026-11-26T01:59:00Z."],
    ),
    "expired": (
        told(runs=(run("expired"),)),
        ["It expired: no worker had started it in time, and it was dropped at 2026-11-26T01:59:00Z."],
    ),
    "revoked": (
        told(runs=(run("revoked"),), whereabouts=where(revoked_at=seconds(-90))),
        ["It was revoked, and dropped at 2026-11-26T01:59:00Z."],
    ),
    "answered": (
        told(runs=(run("deduplicated", attempt=None),), duplicate_of="job-2"),
        [
            "It did not run: at 2026-11-26T01:59:00Z another job with the same key ran, or had run, in its place.",
            "It did not run: job job-2 with the same key did, in its place.",
        ],
    ),
    "on its way": (
        told(runs=(run("retried"),)),
        [
            "Its last attempt ended at 2026-11-26T01:59:00Z (retried), and it was to go on. "
            "It was not found on the broker: it is on its way, or further back than was looked."
        ],
    ),
    "done long ago": (told(state="SUCCESS"), ["Its stored result says SUCCESS."]),
    "never was": (told(), []),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_a_situation_is_told_in_exactly_these_sentences(situation: str) -> None:
    story, sentences = SITUATIONS[situation]
    assert list(verdict(story)) == sentences
