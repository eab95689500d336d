import enum
import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kombu.utils.json import dumps, loads

from apps.core.context import JobContext
from apps.core.exceptions import IdempotencyKeyError
from apps.core.idempotency import KeyRule, canonical, job_key


def f(x: Any, y: Any = "default", **more: Any) -> None: ...


def key(*args: Any, scope: Any = "global", explicit: Any = None, context: Any = None, **kwargs: Any) -> str:
    rule = KeyRule(task="t", function=f, scope=scope, explicit=explicit)
    return job_key(rule, args, kwargs, context or JobContext())


def test_equal_calls_are_one_job_however_they_are_written() -> None:
    assert key(1) == key(x=1) == key(1, "default") == key(1, y="default")
    assert len({key(1), key(2), key(1, "other"), key(1, z=3), key("1"), key(True), key(None)}) == 7


def test_the_timetables_jobs_differ_by_their_firing() -> None:
    def nothing() -> None: ...

    rule = KeyRule(task="t", function=nothing, scope="global", explicit=None)
    keys = {job_key(rule, (), {}, JobContext(firing=f"2026-11-23T{hour:02}:12:00+00:00")) for hour in range(8)}
    assert len(keys) == 8
    assert job_key(rule, (), {}, JobContext()) == "t:global:once"


def test_tenants_and_users_have_keys_of_their_own() -> None:
    keys = {key(1, scope="tenant", context=JobContext(tenant_id=str(number))) for number in range(3)}
    keys |= {key(1, scope="user", context=JobContext(user_id=str(number))) for number in range(3)}
    assert len(keys) == 6


@pytest.mark.parametrize("scope", ["tenant", "user"])
def test_a_missing_scope_id_is_an_error_that_names_the_fix(scope: str) -> None:
    with pytest.raises(IdempotencyKeyError, match=rf"has none: .*context\.using\({scope}_id="):
        key(1, scope=scope)


def test_an_explicit_key_replaces_the_arguments() -> None:
    assert key(1, explicit="nightly") == key(2, explicit="nightly") == "t:global:key=nightly"
    assert key(1, explicit=lambda x, **_: f"number-{x}") == "t:global:key=number-1"
    assert len(key(1, explicit="k" * 10_000)) < 100


@pytest.mark.parametrize("explicit", [lambda *_, **__: None, lambda *_, **__: 5, lambda *_, **__: ""])
def test_an_explicit_key_must_be_text(explicit: Any) -> None:
    with pytest.raises(IdempotencyKeyError, match="must give text"):
        key(1, explicit=explicit)


def test_an_explicit_key_never_meets_one_made_of_arguments() -> None:
    digest = key(1).rpartition("args=")[2]
    assert key(1, explicit=f"args={digest}") != key(1)


class Colour(enum.Enum):
    RED = "red"


SAME = [
    ({3, 1, 2}, {2, 3, 1}),
    ({"b": {"d": 1, "c": 2}, "a": 3}, {"a": 3, "b": {"c": 2, "d": 1}}),
    ((1, 2), [1, 2]),
    ("\u00e9", "e\u0301"),
    (Decimal("1.10"), Decimal("1.1")),
    (Decimal(100), Decimal("1E+2")),
    (0.0, -0.0),
    (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 17, 30, tzinfo=ZoneInfo("Asia/Kolkata"))),
    ({1: "a"}, {"1": "a"}),
    (Colour.RED, "red"),
    (frozenset({1}), {1}),
]


@pytest.mark.parametrize(("left", "right"), SAME, ids=repr)
def test_equal_values_have_one_form(left: Any, right: Any) -> None:
    assert canonical(left) == canonical(right)


DIFFERENT = [
    1,
    "1",
    True,
    None,
    "",
    [],
    {},
    set(),
    [[]],
    ["list"],
    ["dict"],
    ["set", "1"],
    {1},
    {"1"},
    {"list": 1},
    1.5,
    "1.5",
    Decimal("1.5"),
    b"1",
    date(2026, 1, 1),
    "2026-01-01",
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1),  # noqa: DTZ001 - a naive one is another value
    timedelta(days=1),
    timedelta(seconds=1),
    UUID(int=1),
    str(UUID(int=1)),
]


def test_different_values_have_different_forms() -> None:
    assert len({canonical(value) for value in DIFFERENT}) == len(DIFFERENT)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**9), max_value=10**9)
    | st.uuids()
    | st.datetimes(timezones=st.just(UTC)),
    lambda children: st.lists(children, max_size=4) | st.dictionaries(st.text(), children, max_size=4),
    max_leaves=15,
)


@given(plain)
def test_a_value_keeps_its_form_on_its_way_through_a_message(value: Any) -> None:
    try:
        form = canonical(value)
    except IdempotencyKeyError:  # two dict keys that are one text in NFC
        return
    assert canonical(loads(dumps(value))) == form


class Model:
    pass


cycle: list[Any] = []
cycle.append(cycle)


@pytest.mark.parametrize(
    "value",
    [Model(), object, print, float("nan"), float("inf"), Decimal("NaN"), {(1, 2): 3}, {1: "a", "1": "b"}, cycle, 1j],
    ids=lambda value: type(value).__name__,
)
def test_a_value_without_a_form_is_an_error(value: Any) -> None:
    with pytest.raises(IdempotencyKeyError, match="Task 't' cannot be given an idempotency key"):
        key(value)


def test_arguments_that_do_not_fit_are_an_error() -> None:
    with pytest.raises(IdempotencyKeyError, match="does not take these arguments"):
        key()


def test_keys_are_the_same_in_another_process_with_another_hash_seed() -> None:
    program = (
        "import json; from apps.core.idempotency import canonical\n"
        "from decimal import Decimal\n"
        "print(json.dumps(canonical([{'c', 'a', 'b'}, {'x': Decimal('1.50'), 'w': (1, 2.5)}, frozenset('hello')])))"
    )
    here = canonical([{"b", "c", "a"}, {"w": [1, 2.5], "x": Decimal("1.5")}, set("hello")])
    for seed in ("0", "1", "4242"):
        other = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(other.stdout) == here


def test_the_form_is_a_fixed_one_that_all_versions_of_python_share() -> None:
    value = {"when": datetime(2026, 1, 1, tzinfo=UTC), "n": [1, 2.5, None], "s": {"b", "a"}, "d": Decimal("1.50")}
    assert canonical(value) == (
        '["dict",["d",["decimal","1.5"]],["n",["list",1,2.5,null]],["s",["set","\\"a\\"","\\"b\\""]],'
        '["when",["datetime","2026-01-01T00:00:00+00:00"]]]'
    )
