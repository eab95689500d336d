"""What a process knows of its attempts, until the server knows it."""

import json
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from apps.core.broker.attempts import Attempts
from apps.core.broker.cards import Card, Writer


@dataclass
class Running:
    id: str
    name: str = "send_mail"
    queue: str = "email"
    time_start: float | None = 100.0

    @property
    def message(self) -> Any:
        return SimpleNamespace(entry=SimpleNamespace(queue=self.queue))


def test_an_attempt_is_told_as_begun_until_the_server_knows_it() -> None:
    attempts = Attempts()
    attempts.begin("1-1", Running("a"))
    attempts.begin("1-2", Running("b"))
    begun = attempts.begun()
    assert list(begun) == ["1-1", "1-2"]
    attempts.end("1-2")  # while that was on its way
    attempts.told_begun(begun)
    assert attempts.begun() == {}
    attempts.begin("1-3", Running("c"))
    assert list(attempts.begun()) == ["1-3"]
    attempts.end("1-1")
    attempts.begin("1-1", Running("no lease comes twice, but if it did"))
    assert list(attempts.begun()) == ["1-3", "1-1"]


def test_a_note_is_kept_until_the_server_has_it() -> None:
    attempts = Attempts()
    attempts.notes |= {"1-1": "well", "1-2": "badly"}
    attempts.told(["1-1", "never noted"])
    assert attempts.notes == {"1-2": "badly"}


def test_a_card_names_the_jobs_that_run_for_longest_first_and_no_more_than_it_has_room_for() -> None:
    attempts = Attempts()
    assert attempts.card(["email"]) == ""  # no worker
    attempts.writer = Writer(node="w@host", pool="threads", slots=lambda: 200)
    for number in range(100):
        attempts.begin(f"1-{number}", Running(f"job {number}", time_start=1000.0 - number))
    attempts.begin("2-1", Running("just handed over", time_start=None))
    text = attempts.card(["email", "reports"])
    card = Card.read("owner", text.encode())
    assert card is not None
    assert (card.queues, card.slots, card.busy) == (("email", "reports"), 200, 101)
    assert [one.job for one in card.jobs[:2]] == ["job 99", "job 98"]
    assert len(card.jobs) == len(json.loads(text)["jobs"]) == 64


def test_what_is_no_card_is_none() -> None:
    for text in (b"", b"[]", b"{}", b'{"jobs": 3}', b'{"jobs": [], "queues": [], "more": 1}', b"\xff"):
        assert Card.read("owner", text) is None
