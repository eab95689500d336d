"""Owners, servers and the network in any order: whatever they do, every message stays in its place."""

import copy
import itertools
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from apps.core.broker import MessageStore, quarantine
from apps.core.broker.store import Claimed, Entry, ServerRefusesWritesError, SilentOwnerError
from apps.core.owners.heartbeat import RENEW

from .broker_servers import BrokerServer
from .census import LISTS, PREFIX, QUEUES, Census, Places, list_of
from .expected_places import Expected, RefusedError, SilentError
from .lossy_connection import Fault, LossyConnection

# With these settings no time passes by itself within a test: it is the test that lets it pass.
TIMELESS: Final = {"heartbeat_every": 30.0, "dead_after": 600.0}
FUTURE: Final = 4_000_000_000  # seconds since the epoch
MOST_OWNERS: Final = 4  # who act at one time
EVENTS: Final = ("", "", "1.0 rejected here", "1.0 process_died here")
BODIES: Final = ("", "\u00fc\u2028\\u00fc", '", "ready_at": 1}', "a\nb", "}" * 3, "\x06\x163", "x" * 200)
STOCK: Final = (b"", b"no JSON \xff\xfe\x00", b'{"headers": 3}', b"[[1]]\n\n", b'{"ready_at": "x"}', b"\x06\x166\n")

queues = st.sampled_from(QUEUES)
lists = st.sampled_from(LISTS)
picks = st.integers(0, 1000)
several_picks = st.lists(picks, max_size=4)
orders = st.lists(queues, min_size=1, max_size=3, unique=True)
faults = st.sampled_from(
    [
        *[[""]] * 20,
        *[["reply lost"]] * 4,
        ["request lost"],
        ["reply lost", "reply lost"],
        ["request lost", "request lost"],
        ["server killed"],
        ["reply lost", "server killed"],
    ]
)


@dataclass(eq=False)
class Owner:
    name: str
    call: int = 0  # its last claim that was answered
    known: dict[str, Entry] = field(default_factory=dict)  # all that it was ever given
    held: dict[str, bytes] = field(default_factory=dict)  # what it runs, as far as it knows
    lapsed: set[str] = field(default_factory=set)  # leases it held when it was silent for too long
    untold: list[str] = field(default_factory=list)  # acknowledgements whose arrival is not known
    queues: tuple[str, ...] = QUEUES


@dataclass
class Outcome:
    reply: Any = None  # None: it was lost
    expected: Any = None
    is_lost: bool = False
    is_refused: bool = False
    is_silent: bool = False


class Messages(RuleBasedStateMachine):
    """What a killed server has still done is not known before, so no precondition may depend on it."""

    server: ClassVar[BrokerServer]
    store: ClassVar[MessageStore]
    kills: ClassVar[bool] = True  # whether the server is killed, at moments that are never the same twice
    steps: ClassVar[int] = 0
    examples: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        type(self).examples += 1
        LossyConnection.kill_server = self.kill_server if self.kills else lambda: None
        LossyConnection.expect([])
        if not self.server.answers():
            self.server.start()
        self.client = self.server.client
        self.client.config_set("maxmemory", 0)
        self.client.flushall()
        self.client.script_flush()
        self.expected = Expected()
        self.census = Census(self.client)
        self.acting: list[Owner] = []
        self.gone: list[Owner] = []  # killed, or left; only what they sent before may still arrive
        self.published: set[bytes] = set()
        self.number = 0
        self.is_new_server = True  # it does not know the scripts
        self.was_killed = False
        self.is_sound = True

    # What each step is made of.

    def perform(
        self, act: Callable[[], Any], *may_be: Callable[[Expected], Any], fault: Sequence[Fault] = ()
    ) -> Outcome:
        """Act on the server, and on what is expected of it as often as the command has arrived there.

        Of several `may_be` one has to fit what is there afterwards.
        """
        type(self).steps += 1
        self.is_sound = False
        LossyConnection.expect(list(fault))
        outcome = Outcome()
        try:
            outcome.reply = act()
        except (SilentOwnerError, ServerRefusesWritesError) as error:
            outcome.is_silent = isinstance(error, SilentOwnerError)
            outcome.is_refused = not outcome.is_silent
        except redis.ConnectionError:
            outcome.is_lost = True
        except redis.ResponseError as error:
            if not (self.expected.is_full or "WRONGTYPE" in str(error)):
                raise
            outcome.is_refused = True
        times, maybe = LossyConnection.answered, LossyConnection.unanswered
        survivors_memory = self.expected.is_full and not self.was_killed
        self.look(was_heard=LossyConnection.scripts_answered > 0)
        if not (times or maybe or outcome.is_lost):
            assert outcome.is_refused, "it has done nothing, and does not say so"
            assert self.expected.is_full, "it was refused for no reason"
        candidates = [self.applied(step, count) for step in may_be for count in range(times, times + maybe + 1)]
        for candidate, *_ in candidates:
            candidate.is_full = survivors_memory  # the limit is not in the server's configuration
        fitting = [one for one in candidates if one[0].places() == self.census.places]
        assert fitting, difference(candidates[0][0].places(), self.census.places)
        self.expected, outcome.expected, refusal = fitting[0]
        if times and not outcome.is_lost:
            assert (outcome.is_refused, outcome.is_silent) == (refusal == "refused", refusal == "silent"), refusal
        self.check_places()
        self.is_sound = True
        return outcome

    def applied(self, step: Callable[[Expected], Any], count: int) -> tuple[Expected, Any, str]:
        """What is expected after `count` times, what the last of them answers, and whether it is refused."""
        expected, reply, refusal = copy.deepcopy(self.expected), None, ""
        expected.is_quiet = self.census.is_quiet
        for _ in range(count):
            reply, refusal = None, ""
            try:
                reply = step(expected)
            except RefusedError:
                refusal = "refused"
            except SilentError:
                refusal = "silent"
        return expected, reply, refusal

    def look(self, *, was_heard: bool) -> None:
        if self.was_killed:
            self.server.start()
            self.was_killed = False
            self.is_new_server, was_heard = True, False
        self.census = Census(self.client)
        if not self.is_new_server:
            assert self.census.is_quiet == self.expected.is_quiet, "it keeps quiet, or not, for no reason"
        elif was_heard:
            assert self.census.is_quiet, "a new server is asked, and nobody keeps quiet"
            self.is_new_server = False

    def check_places(self) -> None:
        found = self.census.texts()
        assert found.keys() <= self.published, "a message has changed, or come from nowhere"
        for text in self.published:
            assert found[text] == (text not in self.expected.acknowledged), (found[text], text)

    def kill_server(self) -> None:
        self.server.kill()
        self.was_killed = True

    def check_reply(self, outcome: Outcome) -> None:
        assert outcome.reply is None or outcome.reply == outcome.expected, (outcome.reply, outcome.expected)

    def one_of(self, owners: Sequence[Owner], pick: int) -> Owner:
        return owners[pick % len(owners)]

    def leases_of(self, owner: Owner, some: Sequence[int]) -> list[str]:
        """Some that it has, and now and then some that it had."""
        known, held = list(owner.known), list(owner.held)
        if not known:
            return []
        groups = {pick: known if pick % 4 == 0 or not held else held for pick in some}
        return list(dict.fromkeys(group[pick // 4 % len(group)] for pick, group in groups.items()))

    # Owners come and go.

    @initialize(is_announced=st.booleans())
    def begin(self, is_announced: bool) -> None:
        self.owner_starts(is_announced=True)
        self.owner_starts(is_announced)
        self.quiet_ends()
        for name in (LISTS[0], LISTS[0], *LISTS[:5]):
            self.publish(name, None, BODIES[0], [""])

    @precondition(lambda self: len(self.acting) < MOST_OWNERS)
    @rule(is_announced=st.booleans())
    def owner_starts(self, is_announced: bool) -> None:
        """`is_announced`: by a whole pulse. The engine's own sign of life is another, and may come first."""
        owner = Owner(f"o{len(self.acting) + len(self.gone)}")
        self.acting.append(owner)
        if is_announced:
            self.pulse(self.acting.index(owner), [""])
        elif not self.expected.is_full:
            self.client.eval(RENEW, 1, f"{PREFIX}bgjobs:owner:{owner.name}", 600_000)
            self.expected.alive.add(owner.name)

    @precondition(lambda self: len(self.acting) > 1)
    @rule(pick=picks)
    def owner_is_killed(self, pick: int) -> None:
        owner = self.one_of(self.acting, pick)
        self.acting.remove(owner)
        self.gone.append(owner)

    @rule(pick=picks)
    def owner_was_silent_for_too_long(self, pick: int) -> None:
        """It may be dead, or a zombie that goes on."""
        owner = self.one_of([*self.acting, *self.gone], pick)
        self.client.delete(f"{PREFIX}bgjobs:owner:{owner.name}")
        self.expected.alive.discard(owner.name)
        owner.lapsed |= owner.held.keys()

    @precondition(lambda self: len(self.acting) > 1)
    @rule(
        pick=picks,
        rescuer=picks,
        before=st.sampled_from(["quiet_ends", "quiet_ends", "server_forgets_its_scripts"]),
        goes_on=st.booleans(),
        is_heard_late=st.booleans(),
    )
    def owner_is_taken_for_dead(
        self, pick: int, rescuer: int, before: str, goes_on: bool, is_heard_late: bool
    ) -> None:
        """The whole way, which chance alone seldom goes. A zombie goes on; its last claim may arrive once more."""
        owner = self.one_of(self.acting, pick)
        self.acting.remove(owner)
        self.gone.append(owner)
        self.owner_was_silent_for_too_long(len(self.acting) + len(self.gone) - 1)
        getattr(self, before)()
        self.pulse(rescuer, [""])
        self.the_silent_stay_silent()
        self.pulse(rescuer, [""])
        if goes_on:
            self.gone.remove(owner)
            self.acting.append(owner)
            self.pulse(len(self.acting) - 1, [""])
            if is_heard_late:
                self.claim_arrives_once_more(len(self.acting) - 1, 0, 5, list(QUEUES), [""])

    @precondition(lambda self: len(self.acting) > 1)
    @rule(pick=picks, fault=faults)
    def owner_leaves(self, pick: int, fault: list[Fault]) -> None:
        owner = self.one_of(self.acting, pick)
        self.acting.remove(owner)
        self.gone.append(owner)
        outcome = self.perform(
            lambda: self.store.leave(owner.name, owner.queues), lambda now: now.leave(owner.name), fault=fault
        )
        self.check_reply(outcome)
        owner.held.clear()

    @rule(pick=picks, fault=faults)
    def pulse(self, pick: int, fault: list[Fault]) -> None:
        owner = self.one_of(self.acting, pick)
        dead = self.expected.owners - self.expected.alive - {owner.name}
        with_leases = sorted(name for name in dead if self.expected.leases.get(name))
        orders_of_the_dead = [[*order, *dead.difference(order)] for order in itertools.permutations(with_leases)]
        outcome = self.perform(
            lambda: self.store.pulse([owner.name], queues=owner.queues, all_queues=QUEUES),
            *(lambda now, order=order: now.pulse(owner.name, order) for order in orders_of_the_dead),
            fault=fault,
        )
        if outcome.reply is not None:
            is_refused, rescued = outcome.expected
            assert bool(outcome.reply.refused) == is_refused
            assert outcome.reply.rescued == rescued
            some_wait = any(
                texts and not self.expected.paused.get(name.partition("\x06")[0])
                for name, texts in self.expected.lists.items()
            )
            assert outcome.reply.worth_while or not some_wait or is_refused, "a message waits, and nobody is told"

    # Time passes.

    @rule(what=st.sampled_from(["the_silent_stay_silent", "quiet_ends", "some_become_due", "pauses_end"]))
    def time_passes(self, what: str) -> None:
        getattr(self, what)()

    def the_silent_stay_silent(self) -> None:
        if self.expected.is_full:
            return
        for owner in self.expected.suspects:
            self.client.hset(f"{PREFIX}bgjobs:suspects", owner, "1.000000")
            self.expected.suspects[owner] = True

    def quiet_ends(self) -> None:
        if self.is_new_server:
            return
        self.client.delete(f"{PREFIX}bgjobs:quiet")
        self.expected.is_quiet = False

    def some_become_due(self) -> None:
        if self.expected.is_full:
            return
        for queue, waiting in self.expected.delayed.items():
            for entry in sorted(waiting, key=lambda entry: (waiting[entry], entry))[:2]:
                if waiting[entry] > 0:
                    waiting[entry] -= 2 * FUTURE
                    self.client.zadd(f"{PREFIX}bgjobs:delayed:{queue}", {entry: waiting[entry]})

    def pauses_end(self) -> None:
        if self.expected.is_full:
            return
        for queue in self.expected.paused:
            self.client.hset(f"{PREFIX}bgjobs:paused", queue, "1.000000\nended")
            self.expected.paused[queue] = False

    # Messages.

    @rule(name=lists, due=st.none() | st.integers(0, 3), body=st.sampled_from(BODIES), fault=faults)
    def publish(self, name: str, due: int | None, body: str, fault: list[Fault]) -> None:
        """A sender whose connection breaks sends again: that is the one way in which a message comes twice."""
        self.number += 1
        queue = name.partition("\x06")[0]
        message = {"n": self.number, "body": body, "headers": {"id": f"job-{self.number}"}, "properties": {}}
        text = json.dumps(message, ensure_ascii=self.number % 2 == 0)
        moment = None if due is None else float(FUTURE + due)
        stem = text[:-1].encode() + b', "ready_at": '

        def publish(now: Expected) -> None:
            """The server puts its time behind the text. Where that is the moment it is due, it comes once."""
            came = sorted(one for one in self.census.texts() if one.startswith(stem))
            self.published.update(came)
            there = sum(one.startswith(stem) for one in now.lists[name]) if moment is None else 0
            now.publish(queue, name, (came[there:] or [stem])[0], moment)

        outcome = self.perform(lambda: self.store.publish(queue, name, text, due=moment or 0.0), publish, fault=fault)
        if outcome.reply is not None:
            assert stem + f"{outcome.reply:.6f}}}".encode() in self.published
            seconds, microseconds = self.client.time()
            age = seconds + microseconds / 1e6 - outcome.reply
            assert outcome.reply == moment if moment is not None else 0 <= age < 60

    @rule(name=lists, text=st.sampled_from(STOCK))
    def stock_producer_publishes(self, name: str, text: bytes) -> None:
        """Whatever it is. Where a list is spoiled it fails, too."""
        if self.expected.is_full or name in self.expected.spoiled:
            return
        self.number += 1
        whole = text + f" {self.number}".encode()
        self.client.lpush(PREFIX + name, whole)
        self.published.add(whole)
        self.expected.lists[name].insert(0, whole)

    # Claims.

    @rule(pick=picks, most=st.integers(1, 5), order=orders, done=several_picks, was_idle=st.booleans(), fault=faults)
    def claim(
        self, pick: int, most: int, order: list[str], done: list[int], was_idle: bool, fault: list[Fault]
    ) -> None:
        """A claim that was not answered is made again by the next one, which has the same number."""
        owner = self.one_of(self.acting, pick)
        owner.untold += self.leases_of(owner, done)
        self.finish(owner, owner.untold)
        outcome = self.claim_as(owner, owner.call + 1, most, order, owner.untold, was_idle, fault)
        if not outcome.is_lost and LossyConnection.answered:
            owner.untold = []
        if outcome.reply is not None:
            owner.call += 1
            self.learn(owner, outcome.reply)

    @rule(pick=picks, fault=faults)
    def owner_works(self, pick: int, fault: list[Fault]) -> None:
        """Mostly it is nothing but this."""
        self.claim(pick, 3, list(QUEUES), [1, 5, 9] if pick % 2 else [], True, fault)

    @rule(pick=picks, back=st.integers(0, 3), most=st.integers(1, 5), order=orders, fault=faults)
    def claim_arrives_once_more(self, pick: int, back: int, most: int, order: list[str], fault: list[Fault]) -> None:
        """As a network may deliver it: late, also when its sender is no more. Nobody reads what it brings."""
        owner = self.one_of([*self.acting, *self.gone], pick)
        if not owner.call:
            return
        before = copy.deepcopy(self.expected.leases.get(owner.name, {}))
        outcome = self.claim_as(owner, max(owner.call - back, 1), most, order, [], False, fault)
        if outcome.is_lost or outcome.is_refused or outcome.is_silent:
            return
        assert self.expected.leases.get(owner.name, {}) == before, "what nobody will ever know of has been claimed"
        assert back == 0 or outcome.reply is None or owner.call == 1, "a call is remembered that is not the last"

    @precondition(lambda self: self.gone)
    @rule(pick=picks, most=st.integers(1, 5), order=orders)
    def claim_arrives_after_its_senders_end(self, pick: int, most: int, order: list[str]) -> None:
        owner = self.one_of(self.gone, pick)
        counts_as_alive = owner.name in self.expected.alive
        outcome = self.claim_as(owner, owner.call + 1, most, order, [], False, [""])
        assert counts_as_alive or outcome.is_silent or outcome.is_refused, "one without a sign of life holds some"

    def claim_as(
        self,
        owner: Owner,
        call: int,
        most: int,
        order: Sequence[str],
        done: Sequence[str],
        was_idle: bool,
        fault: Sequence[Fault],
    ) -> Outcome:
        outcome = self.perform(
            lambda: self.store.claim(
                owner.name, call=call, most=most, queues=order, acknowledged=done, was_idle=was_idle
            ),
            lambda now: now.claim(owner.name, call, most, order, done),
            fault=fault,
        )
        if (claimed := outcome.reply) is not None:
            brought = [(entry.lease, entry.list.encode() + b"\n" + entry.text) for entry in claimed.entries]
            assert brought == list(outcome.expected.items())
            assert claimed.troubled == bool(self.expected.troubles)
        elif not (outcome.is_lost or outcome.is_refused or outcome.is_silent):
            assert outcome.expected is None, "a claim is taken for a late one"
        return outcome

    def learn(self, owner: Owner, claimed: Claimed) -> None:
        for entry in claimed.entries:
            owner.known[entry.lease] = entry
            owner.held[entry.lease] = entry.text
            for other in self.acting:
                runs = {text for lease, text in other.held.items() if lease not in other.lapsed}
                assert other is owner or entry.text not in runs, "what a living owner runs was given to another"

    def finish(self, owner: Owner, leases: Sequence[str]) -> None:
        for lease in leases:
            owner.held.pop(lease, None)

    # What becomes of a message that is claimed; of one that its owner has lost, nothing. Who asks for any of this
    # does not run the message any more, even where the answer is lost; what is refused goes back with the owner.

    @rule(pick=picks, some=st.lists(picks, min_size=1, max_size=4), fault=faults)
    def acknowledge(self, pick: int, some: list[int], fault: list[Fault]) -> None:
        owner = self.one_of([*self.acting, *self.gone], pick)
        if leases := self.leases_of(owner, some):
            self.finish(owner, leases)
            outcome = self.perform(
                lambda: self.store.acknowledge(owner.name, leases),
                lambda now: now.acknowledge(owner.name, leases),
                fault=fault,
            )
            self.check_reply(outcome)
            if outcome.is_lost:
                owner.untold += leases

    @rule(pick=picks, some=st.lists(picks, min_size=1, max_size=4), event=st.sampled_from(EVENTS), fault=faults)
    def put_back(self, pick: int, some: list[int], event: str, fault: list[Fault]) -> None:
        owner = self.one_of([*self.acting, *self.gone], pick)
        if leases := self.leases_of(owner, some):
            self.finish(owner, leases)
            outcome = self.perform(
                lambda: self.store.put_back(owner.name, leases, event),
                lambda now: now.put_back(owner.name, leases, event.split()[1] if event else ""),
                fault=fault,
            )
            self.check_reply(outcome)

    @rule(pick=picks, one=picks, due=st.integers(0, 3), fault=faults)
    def delay(self, pick: int, one: int, due: int, fault: list[Fault]) -> None:
        owner = self.one_of([*self.acting, *self.gone], pick)
        for lease in self.leases_of(owner, [one]):
            self.finish(owner, [lease])
            queue, moment = owner.known[lease].queue, float(FUTURE + due)
            outcome = self.perform(
                lambda: self.store.delay(owner.name, lease, queue=queue, due=moment),  # noqa: B023 - called at once
                lambda now: now.delay(owner.name, lease, queue, moment),  # noqa: B023
                fault=fault,
            )
            self.check_reply(outcome)

    @rule(pick=picks, one=picks, fault=faults)
    def set_aside(self, pick: int, one: int, fault: list[Fault]) -> None:
        owner = self.one_of([*self.acting, *self.gone], pick)
        for lease in self.leases_of(owner, [one]):
            self.finish(owner, [lease])
            record = quarantine.record(owner.known[lease], "test")
            outcome = self.perform(
                lambda: self.store.quarantine(owner.name, lease, record),  # noqa: B023 - called at once
                lambda now: now.set_aside(owner.name, lease),  # noqa: B023
                fault=fault,
            )
            self.check_reply(outcome)

    # Operators.

    @rule(
        what=st.sampled_from(["pause", "pause", "resume", "purge", "hand_over", "restore"]),
        queue=queues,
        fault=faults,
    )
    def operator_acts(self, what: str, queue: str, fault: list[Fault]) -> None:
        getattr(self, what)(queue, fault)

    def restore(self, name: str, fault: list[Fault]) -> None:
        if not self.expected.quarantine:
            return
        kept_as, text = min(self.expected.quarantine.items())
        outcome = self.perform(
            lambda: self.store.restore(kept_as, name, text), lambda now: now.restore(kept_as, name), fault=fault
        )
        self.check_reply(outcome)

    def pause(self, queue: str, fault: list[Fault], seconds: int = 0) -> None:
        self.perform(
            lambda: self.store.pause(queue, seconds=seconds, why="test"), lambda now: now.pause(queue), fault=fault
        )

    def resume(self, queue: str, fault: list[Fault]) -> None:
        self.check_reply(self.perform(lambda: self.store.resume(queue), lambda now: now.resume(queue), fault=fault))

    def purge(self, queue: str, fault: list[Fault]) -> None:
        self.check_reply(self.perform(lambda: self.store.purge(queue), lambda now: now.purge(queue), fault=fault))

    def hand_over(self, queue: str, fault: list[Fault], most: int = 2) -> None:
        outcome = self.perform(
            lambda: self.store.hand_over(queue, most), lambda now: now.hand_over(queue, most), fault=fault
        )
        self.check_reply(outcome)

    # The server and the way to it.

    @rule(what=st.sampled_from(["server_is_killed", "server_forgets_its_scripts", "connections_are_closed"]))
    def trouble(self, what: str) -> None:
        getattr(self, what)()

    @rule(what=st.sampled_from(["memory_is_full", "memory_is_back"]))
    def memory_changes(self, what: str) -> None:
        getattr(self, what)()

    @rule(what=st.sampled_from(["something_else_takes_a_lists_place", "it_is_removed"]))
    def lists_are_spoiled(self, what: str) -> None:
        getattr(self, what)()

    def server_is_killed(self) -> None:
        if not self.kills:
            return
        self.kill_server()
        self.expected.is_full = False
        self.look(was_heard=False)
        self.see_no_change()

    def server_forgets_its_scripts(self) -> None:
        self.client.script_flush()
        self.is_new_server = True

    def connections_are_closed(self) -> None:
        self.server.drop_connections()

    def memory_is_full(self) -> None:
        self.client.config_set("maxmemory", 1)
        self.expected.is_full = True

    def memory_is_back(self) -> None:
        self.client.config_set("maxmemory", 0)
        self.expected.is_full = False

    def something_else_takes_a_lists_place(self) -> None:
        """Of a list to which messages may go back, where there is one."""
        delayed = {list_of(entry) for entries in self.expected.delayed.values() for entry in entries}
        leased = {list_of(entry) for held in self.expected.leases.values() for entry in held.values()}
        empty = [name for name in LISTS if not self.expected.lists[name]]
        choices = ([name for name in empty if name in some] for some in (delayed, leased, LISTS))
        names = next(filter(None, choices), [])
        if self.expected.is_full or not names:
            return
        name = names[len(self.published) % len(names)]
        self.client.set(PREFIX + name, "no list")
        self.expected.spoiled.add(name)

    def it_is_removed(self) -> None:
        if not self.expected.spoiled:
            return
        self.client.delete(*(PREFIX + name for name in self.expected.spoiled))
        self.expected.spoiled.clear()

    # The end.

    def teardown(self) -> None:
        if self.is_sound:
            self.drain()
        LossyConnection.expect([])

    def drain(self) -> None:
        """Everybody alive goes on, what the dead held is rescued, and no message is left."""
        self.memory_is_back()
        self.it_is_removed()
        for queue in QUEUES:
            self.resume(queue, [""])
        for pick in range(len(self.acting)):
            self.pulse(pick, [""])
        for owner in self.gone:
            self.client.delete(f"{PREFIX}bgjobs:owner:{owner.name}")
            self.expected.alive.discard(owner.name)
        self.quiet_ends()
        self.pulse(0, [""])
        self.the_silent_stay_silent()
        self.pulse(0, [""])
        for queue in QUEUES:
            self.hand_over(queue, [""], 1000)
        while len(self.acting) > 1:
            self.work_until_nothing_is_left(self.acting[0])
            self.owner_leaves(0, [""])
        self.owner_starts(is_announced=True)
        self.owner_leaves(0, [""])  # what did not go back while its list was spoiled goes now
        self.work_until_nothing_is_left(self.acting[0])
        aside = {*self.expected.quarantine.values(), *itertools.chain(*self.expected.purged.values())}
        assert self.published == self.expected.acknowledged | aside, "a message was never finished"

    def work_until_nothing_is_left(self, owner: Owner) -> None:
        ended = -1
        while ended < len(self.expected.acknowledged):
            ended = len(self.expected.acknowledged)
            self.claim(self.acting.index(owner), 5, list(QUEUES), [], False, [""])
            if leases := list(owner.held):
                self.finish(owner, leases)
                self.perform(
                    lambda: self.store.acknowledge(owner.name, leases),
                    lambda now: now.acknowledge(owner.name, leases),
                )

    def see_no_change(self) -> None:
        assert self.census.places == self.expected.places(), difference(self.expected.places(), self.census.places)
        self.check_places()


def difference(expected: Places, found: Places) -> str:
    places = sorted(expected.keys() | found.keys())
    return "\n".join(
        f"{place}: expected {expected.get(place)!r}, found {found.get(place)!r}"
        for place in places
        if expected.get(place) != found.get(place)
    )
