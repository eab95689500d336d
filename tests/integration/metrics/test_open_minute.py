"""The minute that is counted into is in no sum yet: the reader adds it, once, also while it ends."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apps.core.broker.store import MessageStore
from apps.core.metrics.finished import remembered
from apps.core.metrics.reader import Window, read, totals

END = """
local minute = redis.call('GET', KEYS[1])
if not minute then return 0 end
redis.call('RENAME', KEYS[2] .. minute, KEYS[2] .. ARGV[1])
redis.call('SET', KEYS[1], ARGV[1])
return 1
"""


def publish(store: MessageStore) -> None:
    store.publish("email", "email", '{"headers": {}}', task="send mail")


def end_minute(store: MessageStore, *, as_if_it_was: int) -> int:
    """How many have ended: 0 where none was open."""
    keys = (store.key("counts", "open"), store.key("counts", "m", ""))
    return int(store.client.eval(END, len(keys), *keys, as_if_it_was))


def published(store: MessageStore) -> list[int]:
    """As each of the readers tells it."""
    windows = [read(store, window) for window in (Window.M5, Window.H1, Window.H24, Window.H72, Window.D30)]
    return [numbers.count("published") for numbers in (*windows, totals(store))]


def test_everybody_counts_the_open_minute(store: MessageStore) -> None:
    for _ in range(3):
        publish(store)
    assert not store.client.exists(store.key("counts", "total"))
    assert published(store) == [3] * 6


def test_a_minute_that_is_over_counts_once_and_the_next_one_beside_it(store: MessageStore) -> None:
    publish(store)
    end_minute(store, as_if_it_was=int(datetime.now(UTC).timestamp()) // 60 - 1)
    assert published(store) == [1] * 6
    assert store.client.hlen(store.key("counts", "total")) == 1
    publish(store)
    assert published(store) == [2] * 6


def test_a_server_that_has_forgotten_the_script_is_given_it_again(store: MessageStore) -> None:
    publish(store)
    store.client.script_flush()
    assert totals(store).count("published") == 1


def test_an_open_minute_that_makes_no_sense_is_none(store: MessageStore) -> None:
    for broken in ("no number", ""):
        store.client.set(store.key("counts", "open"), broken)
        assert totals(store).count("published") == 0
    minute = int(datetime.now(UTC).timestamp()) // 60
    store.client.set(store.key("counts", "open"), minute + 5)
    store.client.set(store.key("counts", "m", str(minute + 5)), "no hash")
    assert totals(store).count("published") == 0


@dataclass(slots=True)
class Writer:
    """Counts, and ends a minute each other time."""

    store: MessageStore
    begun: int = 0
    counted: int = 0
    ended: int = 0

    def run(self, times: int) -> None:
        earlier = int(datetime.now(UTC).timestamp()) // 60
        for _ in range(times):
            self.begun += 1
            publish(self.store)
            self.counted += 1
            if self.counted % 2:
                earlier -= 1
                self.ended += end_minute(self.store, as_if_it_was=earlier)


def test_who_reads_while_minutes_end_finds_no_more_than_was_counted_and_no_less(store: MessageStore) -> None:
    writer = Writer(store)
    thread = threading.Thread(target=writer.run, args=[800])
    thread.start()
    readings = 0
    while thread.is_alive():
        for read_it in (totals, lambda store: read(store, Window.H24), lambda store: read(store, Window.D30)):
            remembered.forget()  # minutes that are over, into which only this writer counts
            least = writer.counted
            found = read_it(store).count("published")
            assert least <= found <= writer.begun
            readings += 1
    thread.join()
    assert (writer.ended, readings > 10) == (400, True)
    assert totals(store).count("published") == 800
    in_hours = read(store, Window.H24, now=datetime.now(UTC) + timedelta(hours=1))
    assert in_hours.count("published") == 800
