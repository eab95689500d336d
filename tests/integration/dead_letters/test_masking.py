"""A sensitive argument is shown nowhere, and never changed."""

import base64
import json
from collections.abc import Callable

import pytest
import redis
from celery import current_app

from apps.core.broker.channel import LeasedMessage
from apps.core.broker.request import LeasedRequest
from apps.core.dead_letters.models import DeadLetter
from apps.core.dead_letters.replay import Replay, replay
from apps.core.dead_letters.selection import Selection
from apps.core.masking import HIDDEN
from apps.core.outbox import rows

from ..workers import Worker, eventually
from . import jobs
from .conftest import QUEUE, facts, run
from .letters import saved

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD, NUMBER = "hunter2-s3cret", 4242424242424242
CARD = {"number": NUMBER, "name": ["Ann S3cret"]}
SECRETS = (PASSWORD, str(NUMBER), "S3cret")


def shows_secrets(text: str) -> list[str]:
    return [secret for secret in SECRETS if secret in text]


@pytest.mark.slow
@pytest.mark.parametrize("pool", ["prefork", "solo"])
def test_no_output_shows_it_and_the_message_still_has_it(
    broker: redis.Redis, start: Callable[..., Worker], move: Callable[[], None], pool: str
) -> None:
    job = jobs.secret.delay("ann", PASSWORD, card=CARD).id
    (message,) = map(json.loads, broker.lrange(QUEUE, 0, -1))
    assert message["headers"]["argsrepr"] == repr(("ann", HIDDEN))
    assert message["headers"]["kwargsrepr"] == repr({"card": HIDDEN})
    assert json.loads(base64.b64decode(message["body"]))[:2] == [["ann", PASSWORD], {"card": CARD}]
    outputs = [run("why", job), json.dumps(facts("why", job))]
    worker = start(f"--pool={pool}", "--concurrency=1")
    eventually(lambda: broker.hlen("bgjobs:quarantine"))
    outputs += [run("quarantine"), run("why", job)]
    move()
    letter = DeadLetter.objects.get()
    assert json.loads(bytes(letter.message))["body"] == message["body"]
    assert letter.error_text == f"ann may not come in with {HIDDEN} and {{'number': {HIDDEN}, 'name': ['{HIDDEN}']}}"
    worker.stop()
    listed = facts("dead-letters", job)["dead_letters"][0]
    assert listed["arguments"] == {"user": "'ann'", "password": HIDDEN, "card": HIDDEN}
    outputs += [
        run("dead-letters"),
        run("dead-letters", job),
        run("dead-letters", "--group"),
        json.dumps(listed),
        run("why", job),
        json.dumps(facts("why", job)),
        run("retry", job, "--dry-run"),
        run("retry", job, "--reason", "x"),
        "".join(worker.lines),
        f"{letter.error_text} {letter.traceback} {letter}",
    ]
    assert [shows_secrets(text) for text in outputs] == [[]] * len(outputs)
    assert "user           'ann'" in run("dead-letters", job)


def test_celery_shows_a_job_of_an_enqueuer_who_did_not_know_the_task_masked_too(broker: redis.Redis) -> None:
    letter = saved("test.dl.secret", "ann", PASSWORD, headers={"argsrepr": f"('ann', {PASSWORD!r})"})
    payload = json.loads(bytes(letter.message))
    message = LeasedMessage(payload, channel=current_app.connection().channel())
    received = LeasedRequest(message, app=current_app, task=jobs.secret)
    assert received.info()["args"] == repr(("ann", HIDDEN))
    assert shows_secrets(f"{received.info()} {received.argsrepr} {received.request_dict['argsrepr']}") == []
    assert received.args == ["ann", PASSWORD]


def test_edited_arguments_are_masked_in_what_celery_shows() -> None:
    saved("test.dl.secret", "ann", "old")
    assert replay(Selection(task="test.dl.secret"), Replay(arguments=(["bob", PASSWORD], {}))).count == 1
    message = json.loads(rows.table().get().message)
    assert message["headers"]["argsrepr"] == repr(("bob", HIDDEN))


def test_arguments_of_an_unknown_task_are_hidden_altogether() -> None:
    letter = saved("of.another.service", PASSWORD, 17)
    (listed,) = facts("dead-letters")["dead_letters"]
    assert listed["arguments"] == {"[0]": HIDDEN, "[1]": HIDDEN}
    assert shows_secrets(run("dead-letters", str(letter.pk)) + run("why", letter.job)) == []
