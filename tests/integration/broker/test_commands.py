"""`manage.py jobs status | pause | resume | drain | quarantine` on a broker of the test's own."""

import json
import threading
import time
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command

from apps.core.broker.quarantine import record
from apps.core.broker.store import Entry
from apps.core.health.queue_numbers import RATED
from apps.core.models import OperatorAction
from apps.core.queues import QUEUES

from ..workers import Worker, eventually
from .broker_servers import BrokerServer
from .conftest import Crew
from .private_server import free_port
from .test_addresses import CHANNELS, KEYS, rights
from .trial import QUEUE, Trial, publish, publish_numbers, text_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
OWNER = "host:1:abc"
LOOKING = ("hgetall", "mget", "pttl", "time", "xlen")  # what a look at numbers and workers needs beside that


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", *arguments, stdout=out)
    return out.getvalue().rstrip()


def facts(*arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(*arguments, "--format=json"))
    return found


def of_queue(name: str = QUEUE) -> dict[str, Any]:
    (found,) = (queue for queue in facts("status")["queues"] if queue["name"] == name)
    return dict(found)


def codes() -> list[str]:
    return [problem["code"] for problem in facts("status")["problems"]]


@pytest.fixture
def broker(valkey_server: BrokerServer, monkeypatch: pytest.MonkeyPatch) -> BrokerServer:
    """The broker that the settings name, with nothing on it."""
    monkeypatch.setitem(current_app.conf, "broker_url", valkey_server.url)
    return valkey_server


def hold(broker: BrokerServer, most: int, owner: str = OWNER) -> tuple[Entry, ...]:
    """Lets an owner that is alive claim."""
    broker.store.pulse([owner], queues=[QUEUE], all_queues=[QUEUE])
    claimed = broker.store.claim(owner, call=int(time.monotonic() * 1e6), most=most, queues=[QUEUE])
    assert claimed is not None
    return claimed.entries


def set_aside(broker: BrokerServer, *tasks: str, reason: str = "unknown_task") -> list[str]:
    """Quarantines a message for each task, and returns what it was."""
    texts = [publish(broker, task, "secret argument") for task in tasks]
    for entry in hold(broker, len(tasks)):
        broker.store.quarantine(
            OWNER, entry.lease, record(entry, reason, detail="NotRegistered: mail ann@example.com")
        )
    return texts


# status


def test_an_empty_broker_without_workers_is_well(broker: BrokerServer) -> None:
    found = facts("status")
    assert (found["status"], found["problems"], found["workers"]["list"]) == ("ok", [], [])
    assert found["broker"]["kind"] == "valkey"
    assert found["broker"]["version"] == broker.client.info()["valkey_version"]
    assert found["broker"]["memory_used_ratio"] is None  # it has no limit
    assert [queue["name"] for queue in found["queues"]] == [queue.name for queue in QUEUES]
    queue = of_queue()
    assert queue.pop("sla_ratio") == {"5m": None, "1h": None, "30d": None}  # nothing has been counted
    assert queue.pop("rate_per_minute") == dict.fromkeys(RATED, 0.0)
    for name in ("wait_seconds", "run_seconds"):
        assert queue.pop(name) == {"p50": None, "p95": None, "p99": None}
    for name in ("error_budget_remaining", "burn_rate_5m", "burn_rate_1h", "burn_rate_24h"):
        assert queue.pop(name) is None
    assert queue == {
        "name": QUEUE,
        "rank": 8,
        "sla_seconds": 3,
        "slo_target": 0.99,
        "oldest_age_seconds": None,
        "ready": 0,
        "delayed": 0,
        "leased": 0,
        "consumers": 0,
        "idle": 0,
        "scout": None,
        "paused": False,
    }


def test_each_place_of_a_message_is_counted(broker: BrokerServer) -> None:
    publish_numbers(broker, "work", range(5))
    publish(broker, "work", 5, eta=time.time() + 60)
    hold(broker, 2)
    found = of_queue()
    assert (found["ready"], found["delayed"], found["leased"]) == (3, 1, 2)
    assert 0 < found["oldest_age_seconds"] < 20
    assert found["consumers"] == 1
    (worker,) = facts("status")["workers"]["list"]
    assert (worker["owner"], worker["alive"], worker["leases"]) == (OWNER, True, {QUEUE: 2})


def test_the_worst_is_said_first_and_each_with_what_to_do(broker: BrokerServer) -> None:
    set_aside(broker, "gone")
    broker.store.pause("email", seconds=0, why="ann: the mail server moves")
    late = json.loads(text_of("work", 1)) | {"ready_at": time.time() - 60}
    broker.client.lpush("critical", json.dumps(late))
    assert codes() == ["queue_without_consumer", "queue_paused", "quarantine_not_empty"]
    assert facts("status")["status"] == "critical"
    first, *rest = run("status").splitlines()
    assert first.startswith("critical critical has been late since ")
    assert "of 2 s): no worker serves it. Start a worker for critical." in first
    text = "\n".join(rest)
    assert "email is paused: ann paused it: the mail server moves" in text
    assert "manage.py jobs resume email" in text
    assert "1 in quarantine: 1 unknown_task" in text
    assert "until resumed, by ann: the mail server moves" in text


def test_plain_output_has_no_colours_and_a_line_for_each_queue(broker: BrokerServer) -> None:
    text = run("status")
    assert "\x1b" not in text
    lines = text.splitlines()
    assert lines[0].startswith("ok")
    heading = next(line for line in lines if line.startswith("queue "))
    place = lines.index(heading)
    assert [line.split()[0] for line in lines[place + 1 : place + 8]] == [queue.name for queue in QUEUES]
    assert lines[-3] == "No worker is known."
    assert lines[-2].startswith("timetable: 0 beats run, next ")
    assert lines[-1] == "outbox: 0 to publish, 0 durable jobs under way"


def test_a_terminal_gets_lines_and_colours_unless_it_wants_none(broker: BrokerServer) -> None:
    broker.store.pause("email", seconds=0, why="ann: [bold]why[/bold]")
    shown = Terminal()
    call_command("jobs", "status", stdout=shown)
    assert "\x1b[" in shown.getvalue()
    assert "───" in shown.getvalue()
    plain = Terminal()
    call_command("jobs", "status", stdout=plain, no_color=True)
    assert "\x1b[33m" not in plain.getvalue()
    assert "ann paused it: [bold]why[/bold]" in plain.getvalue()


def test_a_real_worker_is_seen_to_wait_and_to_work(broker: BrokerServer, crew: Crew, trial: Trial) -> None:
    crew(broker, "--concurrency=2")
    eventually(lambda: of_queue()["idle"] == 1)
    assert of_queue()["scout"] == facts("status")["workers"]["list"][0]["owner"]
    publish_numbers(broker, "work", range(2), 20)
    trial.wait(2)
    found = of_queue()
    assert (found["idle"], found["consumers"], found["leased"]) == (0, 1, 2)
    assert codes() == []


def test_a_silent_worker_with_leases_is_named(broker: BrokerServer) -> None:
    publish(broker, "work", 1)
    hold(broker, 1)
    broker.client.delete(f"bgjobs:owner:{OWNER}")
    assert codes() == ["owner_silent"]
    assert f"{OWNER} is silent and holds 1 message" in run("status")


def test_a_server_that_is_down_is_the_answer_and_nothing_is_zero(broker: BrokerServer) -> None:
    broker.kill()
    out = StringIO()
    began = time.monotonic()
    with pytest.raises(CommandError, match="cannot be asked"):
        call_command("jobs", "status", "--format=json", stdout=out)
    assert time.monotonic() - began < 8
    found = json.loads(out.getvalue())
    assert found["status"] == "unknown"
    assert [problem["code"] for problem in found["problems"]] == ["server_unreachable"]
    assert found["broker"]["kind"] == "unknown"
    assert set(found["workers"].values()) == {None}
    assert found["quarantine"] is None
    unknown = {"oldest_age_seconds", "ready", "delayed", "leased", "consumers", "idle", "scout", "paused"}
    assert all(queue[name] is None for queue in found["queues"] for name in unknown)


def test_a_server_that_refuses_writes_is_said_with_its_reason(broker: BrokerServer) -> None:
    run("status")
    broker.client.config_set("maxmemory", 1)
    found = facts("status")
    assert [problem["code"] for problem in found["problems"]] == ["server_refuses_writes", "memory_high"]
    assert "maxmemory" in found["broker"]["refuses_writes"]


def test_a_status_costs_the_same_whether_none_or_many_wait(broker: BrokerServer) -> None:
    run("status")

    def cost() -> int:
        before = broker.commands()
        run("status")
        return broker.commands() - before

    empty = cost()
    publish_numbers(broker, "work", range(500))
    for number in range(500):
        publish(broker, "work", number, eta=time.time() + 600)
    assert cost() <= empty + 2 * len(QUEUES)


def test_with_a_plain_broker_it_says_what_it_cannot_know(
    broker: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_numbers(broker, "work", range(3))
    monkeypatch.setitem(current_app.conf, "broker_url", broker.url.replace("leased://", "redis://"))
    found = of_queue()
    assert found["ready"] == 3
    assert found["oldest_age_seconds"] > 0
    assert all(found[name] is None for name in ("delayed", "leased", "consumers", "idle", "scout", "paused"))
    assert facts("status")["broker"]["transport"] == "stock"
    text = run("status")
    assert "no leased:// one" in text
    assert "unknown" in text
    with pytest.raises(CommandError, match="no leased:// one"):
        run("pause", QUEUE, "--reason", "why")


def test_the_least_rights_of_a_worker_and_those_to_look_are_enough_for_operators(
    broker: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = [f"+{name}" for name in (*rights(), *LOOKING)]
    broker.client.execute_command("ACL", "SETUSER", "jobs", "on", ">pw", *KEYS, *CHANNELS, "-@all", *commands)
    monkeypatch.setitem(current_app.conf, "broker_url", broker.url.replace("://", "://jobs:pw@"))
    set_aside(broker, "gone")
    assert codes() == ["quarantine_not_empty"]
    found = facts("status")
    assert found["unknown"] == {}
    assert found["broker"]["claimed_by_stock"] is None  # these keys are not its own
    for arguments in (["pause", QUEUE], ["resume", QUEUE], ["quarantine", "--restore", "--reason-is=unknown_task"]):
        run(*arguments, "--reason=why")
    assert broker.waiting() == 1


def test_an_installation_with_a_key_prefix_sees_its_own(
    broker: BrokerServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(broker, "work", 1)  # of the installation without one
    monkeypatch.setitem(current_app.conf, "broker_transport_options", {"global_keyprefix": "one:"})
    run("pause", QUEUE, "--reason", "why")
    assert broker.client.exists("one:bgjobs:paused")
    assert of_queue()["ready"] == 0
    assert of_queue()["paused"]["why"] == "why"


# pause and resume


def test_a_paused_queue_is_not_claimed_until_it_is_resumed(broker: BrokerServer) -> None:
    publish(broker, "work", 1)
    assert run("pause", QUEUE, "--reason", "the bank is down") == f"{QUEUE} is paused until it is resumed."
    assert hold(broker, 1) == ()
    paused = of_queue()["paused"]
    assert paused["until"] is None
    assert paused["by"].startswith("cli:")
    assert paused["why"] == "the bank is down"
    assert run("resume", QUEUE, "--reason", "it is up") == f"{QUEUE} goes on."
    assert len(hold(broker, 1)) == 1
    assert run("resume", QUEUE, "--reason", "again") == f"{QUEUE} was not paused."
    rows = OperatorAction.objects.order_by("pk").values_list("action", "target", "affected", "result")
    assert list(rows) == [
        ("pause-queue", QUEUE, 1, "done"),
        ("resume-queue", QUEUE, 1, "done"),
        ("resume-queue", QUEUE, 0, "done"),
    ]


def test_a_pause_for_a_time_ends_by_itself(broker: BrokerServer) -> None:
    publish(broker, "work", 1)
    text = run("pause", QUEUE, "--reason", "a moment", "--for", "0.2s")
    assert text.startswith(f"{QUEUE} is paused until 2")
    assert hold(broker, 1) == ()
    eventually(lambda: hold(broker, 1))
    assert of_queue()["paused"] is False
    assert OperatorAction.objects.get().target == f"{QUEUE} for 0.2s"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pause", QUEUE], "--reason"),
        (["pause", QUEUE, "--reason", " "], "Say why"),
        (["pause", "criticl", "--reason", "x"], "did you mean 'critical'"),
        (["pause", QUEUE, "--reason", "x", "--for", "30"], "without a unit"),
        (["resume", "nothing", "--reason", "x"], "There is no queue 'nothing'"),
        (["drain", QUEUE, "--timeout", "soon"], "no span of time"),
        (["drain", "nothing"], "There is no queue 'nothing'"),
        (["quarantine", "--restore", "--reason", "x"], "Say what to restore"),
        (["quarantine", "--restore", "a:1-1", "--reason-is", "b", "--reason", "x"], "Say what to restore"),
        (["quarantine", "--restore", "a:1-1"], "Say why"),
        (["quarantine", "--reason", "x"], "Looking needs no --reason"),
    ],
    ids=repr,
)
def test_a_wrong_command_says_how_it_is_right(broker: BrokerServer, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(*arguments)
    assert not OperatorAction.objects.exists()
    assert not broker.client.exists("bgjobs:paused")


@pytest.mark.parametrize(
    ("arguments", "permission"),
    [
        (["pause", QUEUE], "pause_queue"),
        (["resume", QUEUE], "pause_queue"),
        (["quarantine", "--restore", "--reason-is", "unknown_task"], "retry_task"),
        (["migrate", "--to-stock"], "move_messages"),
    ],
    ids=repr,
)
def test_a_named_user_needs_the_permission(broker: BrokerServer, arguments: list[str], permission: str) -> None:
    user = User.objects.create_user("olga")
    with pytest.raises(CommandError, match="olga may not"):
        run(*arguments, "--reason", "why", "--as", "olga")
    assert not OperatorAction.objects.exists()
    user.user_permissions.add(Permission.objects.get(content_type__app_label="bgjobs", codename=permission))
    run(*arguments, "--reason", "why", "--as", "olga")
    assert OperatorAction.objects.get().actor == "olga"


def test_the_audit_tells_of_an_action_that_the_server_did_not_answer(broker: BrokerServer) -> None:
    broker.kill()
    with pytest.raises(CommandError, match="cannot do this now: ConnectionError"):
        run("pause", QUEUE, "--reason", "why")
    assert OperatorAction.objects.get().result == "failed"


# drain


def test_drain_of_empty_queues_ends_at_once(broker: BrokerServer) -> None:
    assert run("drain", "critical", "email") == "Nothing is left in critical, email."
    assert facts("drain") == {"drained": True, "left": {}}


@pytest.mark.parametrize("place", ["ready", "delayed", "running"])
def test_drain_ends_with_an_error_that_says_what_is_left(broker: BrokerServer, place: str) -> None:
    publish(broker, "work", 1, **({"eta": time.time() + 600} if place == "delayed" else {}))
    if place == "running":
        hold(broker, 1)
    with pytest.raises(CommandError, match=f"After 0.2s: {QUEUE}: .*1 {place}"):
        run("drain", "--timeout=0.2s")
    assert run("drain", "email", "--timeout=0.2s") == "Nothing is left in email."


def test_drain_says_that_a_paused_queue_will_not_empty(broker: BrokerServer) -> None:
    publish(broker, "work", 1)
    broker.store.pause(QUEUE, seconds=0, why="ann: later")
    with pytest.raises(CommandError, match="it is paused, so it will not empty"):
        run("drain", "--timeout=0.1s")


def test_drain_waits_for_what_runs(broker: BrokerServer) -> None:
    publish(broker, "work", 1)
    (entry,) = hold(broker, 1)
    done = threading.Timer(0.7, lambda: broker.store.acknowledge(OWNER, [entry.lease]))
    done.start()
    assert run("drain", QUEUE, "--timeout=20s") == f"Nothing is left in {QUEUE}."
    assert done.finished.is_set()
    done.join()


def test_drain_survives_a_restart_of_the_server(broker: BrokerServer) -> None:
    publish(broker, "work", 1)
    broker.client.config_set("appendfsync", "always")
    broker.kill()
    back = threading.Timer(0.7, lambda: (broker.start(), broker.client.delete(QUEUE)))
    back.start()
    assert run("drain", QUEUE, "--timeout=20s") == f"Nothing is left in {QUEUE}."
    back.join()


# quarantine


def test_what_is_in_quarantine_is_listed_without_arguments(broker: BrokerServer) -> None:
    assert run("quarantine").startswith("Nothing is in quarantine. What the relay has taken over is listed by")
    texts = set_aside(broker, "gone")
    (found,) = facts("quarantine")["messages"]
    assert found["task"] == "test.trial.gone"
    assert found["job"] == json.loads(texts[0])["headers"]["id"]
    assert (found["reason"], found["queue"], found["history"]) == ("unknown_task", QUEUE, [])
    assert found["detail"] == "NotRegistered: mail [e-mail]"
    for shown in (run("quarantine"), json.dumps(found)):
        assert "test.trial.gone" in shown
        assert "secret argument" not in shown
        assert json.loads(texts[0])["body"] not in shown


def test_a_restored_message_is_as_it_was_and_claimed_next(broker: BrokerServer) -> None:
    set_aside(broker, "first", "second")
    publish(broker, "work", 3)
    kept = {one["task"]: one for one in facts("quarantine")["messages"]}
    before = [json.loads(text)["message"] for text in broker.client.hvals("bgjobs:quarantine")]
    lease = kept["test.trial.second"]["lease"]
    assert run("quarantine", "--restore", lease, "--reason", "deployed") == "1 put back into their queues."
    (entry,) = hold(broker, 1)
    assert entry.text.decode() in before
    assert json.loads(entry.text)["headers"]["task"] == "test.trial.second"
    assert [one["task"] for one in facts("quarantine")["messages"]] == ["test.trial.first"]
    row = OperatorAction.objects.get()
    assert (row.action, row.target, row.expected, row.affected) == ("restore-quarantined", lease, 1, 1)


def test_all_of_one_reason_are_restored_and_no_others(broker: BrokerServer) -> None:
    set_aside(broker, "a", "b", "c")
    set_aside(broker, "d", reason="poison")
    assert len(facts("quarantine", "--reason-is=unknown_task")["messages"]) == 3
    text = run("quarantine", "--restore", "--reason-is", "unknown_task", "--reason", "deployed")
    assert text == "3 put back into their queues."
    assert facts("status")["quarantine"] == {"count": 1, "by_reason": {"poison": 1}, "counted": 1}
    assert broker.waiting() == 3


def test_every_list_and_every_byte_comes_back(broker: BrokerServer) -> None:
    texts = [b"\xff\x00 no text", b"[]", b'"\\ud83d\\ude00 \xe2\x82\xac\\u0000"', b""]
    lists = [QUEUE, f"{QUEUE}\x06\x163", f"{QUEUE}\x06\x169", QUEUE]
    for name, text in zip(lists, texts, strict=True):
        broker.client.lpush(name, text)
        (entry,) = hold(broker, 1)
        assert entry.text == text
        broker.store.quarantine(OWNER, entry.lease, record(entry, "undecodable"))
    listed = facts("quarantine")["messages"]
    assert {(one["task"], one["job"]) for one in listed} == {(None, None)}
    run("quarantine", "--restore", "--reason-is", "undecodable", "--reason", "look again")
    found = [(name, text) for name in sorted(set(lists)) for text in broker.client.lrange(name, 0, -1)]
    assert sorted(found) == sorted(zip(lists, texts, strict=True))
    assert not broker.client.exists("bgjobs:quarantine")


def test_what_is_not_in_quarantine_any_more_is_not_restored_twice(broker: BrokerServer) -> None:
    set_aside(broker, "a")
    lease = facts("quarantine")["messages"][0]["lease"]
    run("quarantine", "--restore", lease, "--reason", "x")
    with pytest.raises(CommandError, match="1 of these were not in quarantine"):
        run("quarantine", "--restore", lease, "--reason", "x")
    assert broker.waiting() == 1


def test_a_full_server_keeps_the_message_in_quarantine(broker: BrokerServer) -> None:
    set_aside(broker, "a")
    broker.client.config_set("maxmemory", 1)
    with pytest.raises(CommandError, match="maxmemory"):
        run("quarantine", "--restore", "--reason-is", "unknown_task", "--reason", "x")
    broker.client.config_set("maxmemory", 0)
    assert facts("quarantine")["count"] == 1
    assert broker.waiting() == 0


def test_an_unknown_tasks_job_runs_once_its_task_is_deployed(broker: BrokerServer, crew: Crew, trial: Trial) -> None:
    old = Worker(f"--queues={QUEUE}", "--pool=solo", environment={"BROKER_URL": broker.url})
    try:
        publish(broker, "work", 7)
        eventually(lambda: facts("status")["quarantine"]["count"] == 1)
    finally:
        old.stop()
    crew(broker, "--pool=solo")
    run("quarantine", "--restore", "--reason-is", "unknown_task", "--reason", "it is deployed now")
    trial.wait_for([7])
    assert trial.counts("end") == {7: 1}
    eventually(broker.settled)


def test_a_broker_that_nobody_listens_at_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(current_app.conf, "broker_url", f"leased://127.0.0.1:{free_port()}/0")
    for arguments in (["quarantine"], ["migrate", "--from-stock", "--reason", "x"]):
        with pytest.raises(CommandError, match="cannot do this now: ConnectionError"):
            run(*arguments)
    with pytest.raises(CommandError, match="the server does not answer"):
        run("drain", "--timeout=0.1s")
