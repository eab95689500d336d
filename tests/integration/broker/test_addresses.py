"""Every way to a server: password, ACL user, database, key prefix, Unix socket, TLS; and every kind of pool."""

import json
import os
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.pidbox import Mailbox

from .. import workers
from ..workers import Worker, eventually
from .conftest import Show
from .jobs import mark
from .private_server import ADDRESSED, HOST, PrivateServer
from .tls_endpoint import TlsEndpoint

pytestmark = pytest.mark.slow
Seen = Callable[..., list[dict[str, Any]]]
Start = Callable[..., Worker]
QUEUE = "high_priority"
ARGUMENTS = ("--include=tests.integration.broker.jobs", f"--queues={QUEUE}", "--concurrency=1", "--hostname=one@test")
PASSWORD = "not-for-logs-7f3a"
# The least that a broker's user needs. Keys: the queues with their priorities, the engine's own, and kombu's: binding
# tables, the queues of remote control, of its replies and of events. Channels: kombu's broadcasts in database 0; a
# pattern that is subscribed to has to be named as it is. Results on the same server need keys of their own besides.
KEYS = ("~critical*", f"~{QUEUE}*", "~email*", "~reports*", "~external_api*", "~maintenance*", "~ml_training*")
KEYS += ("~bgjobs:*", "~_kombu.binding*", "~*celery.pidbox*", "~celeryev*")
CHANNELS = ("&/0.celery.pidbox", "&/0.celeryev/*", "&/0.celeryev/worker.*")
CONNECTION = "hello ping client|setinfo select info"
ENGINE = "evalsha script|load script|exists blpop blmove hget hdel hlen hmget hscan smembers zrange set del"
KOMBU = "multi exec sadd smembers exists llen lpush brpop rpop pexpire del srem zrangebyscore publish psubscribe"
IN_SCRIPTS = "\n".join(path.read_text() for path in Path("apps/core").rglob("*.lua"))


def rights() -> set[str]:
    inside = {name.lower() for name in re.findall(r"redis\.p?call\('([A-Z]+)'", IN_SCRIPTS)}
    return {*CONNECTION.split(), *ENGINE.split(), *KOMBU.split(), *inside}


def run_one_of_each(
    worker: Start,
    url: str,
    server: redis.Redis,
    *,
    options: dict[str, Any] | None = None,
    ca: Path | None = None,
    arguments: tuple[str, ...] = (),
) -> None:
    """A worker at this address runs a job at once and one later, answers, and gives nothing away."""
    environment = {
        "BROKER_URL": url,
        "SEEN_URL": os.environ["BROKER_URL"],
        "BROKER_OPTIONS": json.dumps(options or {}),
    }
    if ca:
        environment["BROKER_CA"] = str(ca)
    running = worker(*ARGUMENTS, *arguments, environment=environment)
    tls = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": str(ca)} if ca else None
    with Connection(url, transport_options=options or {}, ssl=tls) as connection:
        assert mark.apply_async(("now",), connection=connection).get(timeout=20) == "now"
        assert mark.apply_async(("soon",), connection=connection, countdown=0.3).get(timeout=20) == "soon"
        control = Mailbox("celery", type="fanout", accept=["json"])(connection)
        pong = eventually(lambda: control.multi_call("ping", timeout=1))
    assert pong == [{"one@test": {"ok": "pong"}}]
    prefix = (options or {}).get("global_keyprefix", "")
    eventually(lambda: server.keys(f"{prefix}bgjobs:owner:*"))
    eventually(lambda: not server.keys(f"{prefix}bgjobs:leases:*"))
    assert running.process.poll() is None
    trouble = [line for line in running.lines if "Traceback" in line or "heartbeat.failed" in line]
    assert not trouble
    assert PASSWORD not in "".join(running.lines)
    running.kill()  # a warm shutdown would take its time


@pytest.fixture
def worker(worker: Start, monkeypatch: pytest.MonkeyPatch) -> Start:
    """Starts workers that get their transport options from their environment."""
    monkeypatch.setattr(workers, "CELERY", ADDRESSED)
    return worker


@pytest.fixture
def private() -> Iterator[PrivateServer]:
    made = PrivateServer()
    yield made
    made.close()


@pytest.fixture
def locked() -> Iterator[PrivateServer]:
    made = PrivateServer(password=PASSWORD)
    yield made
    made.close()


@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_a_server_with_a_password_and_every_kind_of_pool(
    locked: PrivateServer, worker: Start, server: redis.Redis, pool: str
) -> None:
    run_one_of_each(worker, locked.url, locked.client, arguments=(f"--pool={pool}",))


def test_a_user_with_the_least_rights(private: PrivateServer, worker: Start, server: redis.Redis, show: Show) -> None:
    commands = [f"+{name}" for name in sorted(rights())]
    private.client.execute_command(
        "ACL", "SETUSER", "jobs", "on", f">{PASSWORD}", "resetchannels", *KEYS, *CHANNELS, "-@all", *commands
    )
    run_one_of_each(worker, f"leased://jobs:{PASSWORD}@{HOST}:{private.port}/0", private.client, arguments=("-E",))
    show(" ".join(["-@all", *commands, *KEYS, *CHANNELS]))
    assert not [(one["reason"], one["object"]) for one in private.client.acl_log()]


@pytest.mark.parametrize("right", ["evalsha", "psubscribe"])
def test_a_user_with_less_cannot(private: PrivateServer, right: str) -> None:
    """The rights that a worker uses at once are no ornament."""
    commands = [f"+{name}" for name in sorted(rights() - {right})]
    private.client.execute_command(
        "ACL", "SETUSER", "jobs", "on", f">{PASSWORD}", "resetchannels", *KEYS, *CHANNELS, "-@all", *commands
    )
    url = f"leased://jobs:{PASSWORD}@{HOST}:{private.port}/0"
    running = Worker(*ARGUMENTS, "-E", environment={"BROKER_URL": url})
    try:
        refused = eventually(private.client.acl_log)
        assert right in {one["object"] for one in refused}
    finally:
        running.kill()
        running.stop()


def test_a_database_of_its_own(private: PrivateServer, worker: Start, server: redis.Redis) -> None:
    with redis.Redis(HOST, private.port, db=5, decode_responses=True) as database:
        run_one_of_each(worker, f"leased://{HOST}:{private.port}/5", database)
        assert database.keys("_kombu.binding.*")
    assert not private.client.keys("*")


def test_two_installations_on_one_database_by_key_prefix(
    private: PrivateServer, worker: Start, server: redis.Redis
) -> None:
    one = {"global_keyprefix": "one:"}
    other = Connection(private.url, transport_options={"global_keyprefix": "other:"})
    with other:
        mark.apply_async(("not ours",), connection=other)
        run_one_of_each(worker, private.url, private.client, options=one)
        assert private.client.llen(f"other:{QUEUE}") == 1
    engine = [key for key in private.client.keys("bgjobs:*") if not key.startswith("bgjobs:owner:")]
    assert not engine  # idempotency keys and the signs of life they are guarded by have no prefix
    assert not private.client.keys(QUEUE)


def test_a_unix_socket(locked: PrivateServer, worker: Start, server: redis.Redis) -> None:
    url = f"leased+socket://:{PASSWORD}@{locked.socket}?virtual_host=3"
    with redis.Redis(HOST, locked.port, db=3, password=PASSWORD, decode_responses=True) as database:
        run_one_of_each(worker, url, database)
    assert not locked.client.keys("*")


def test_tls_with_a_certificate_that_is_trusted(
    locked: PrivateServer, worker: Start, server: redis.Redis, tmp_path: Path
) -> None:
    endpoint = TlsEndpoint(tmp_path, locked.port)
    url = f"leaseds://:{PASSWORD}@{HOST}:{endpoint.port}/0"
    run_one_of_each(worker, url, locked.client, ca=endpoint.ca_file)
    endpoint.close()


@pytest.mark.parametrize("whom", ["nobody told of it", "told of another"])
def test_a_certificate_that_is_not_trusted_is_refused(locked: PrivateServer, tmp_path: Path, whom: str) -> None:
    endpoint = TlsEndpoint(tmp_path, locked.port)
    url = f"leaseds://:{PASSWORD}@{HOST}:{endpoint.port}/0"
    stranger = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": str(endpoint.stranger_file)}
    impatient = {"max_retries": 1, "interval_start": 0, "interval_max": 0}
    trusted = None if whom == "nobody told of it" else stranger
    connection = Connection(url, ssl=trusted, transport_options=impatient)
    with connection, pytest.raises(OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        mark.apply_async(connection=connection, retry=False)
    assert not locked.client.keys("*")
    endpoint.close()


def test_a_wrong_password_is_not_in_the_worker_log(locked: PrivateServer) -> None:
    wrong = f"wrong-{PASSWORD}"
    running = Worker(*ARGUMENTS, environment={"BROKER_URL": f"leased://:{wrong}@{HOST}:{locked.port}/0"})
    try:
        eventually(lambda: any("Cannot connect" in line for line in running.lines))
        threading.Event().wait(0.2)
        assert wrong not in "".join(running.lines)
    finally:
        running.kill()
        running.stop()
