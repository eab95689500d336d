from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.core.exceptions import DeclarationError
from apps.core.schedules import every
from apps.core.schedules.catch_up import GRACE, MOST_MISSED, CatchUp, Policy, divide
from apps.core.schedules.firings import firings_between

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
HOURLY = every(minutes=60)


def hours(*numbers: int) -> list[datetime]:
    return [NOON.replace(hour=number) for number in numbers]


@pytest.mark.parametrize(
    ("catch_up", "window", "missed", "fired"),
    [
        ("one", 86_400, (8, 9, 10, 11), (12,)),
        ("all", 86_400, (), (8, 9, 10, 11, 12)),
        ("all", 3 * 3600, (8, 9), (10, 11, 12)),
        ("none", 86_400, (8, 9, 10, 11, 12), ()),
        ("one", 300, (8, 9, 10, 11, 12), ()),
    ],
)
def test_after_five_hours_down(
    catch_up: CatchUp, window: float, missed: tuple[int, ...], fired: tuple[int, ...]
) -> None:
    policy = Policy(catch_up=catch_up, catch_up_window=window)
    due = divide(HOURLY, policy, after=NOON.replace(hour=7, minute=30), until=NOON + timedelta(minutes=10))
    assert (due.missed, due.fire) == (hours(*missed), hours(*fired))


@pytest.mark.parametrize("catch_up", ["one", "all", "none"])
def test_an_instant_of_a_moment_ago_is_fired_under_every_policy(catch_up: CatchUp) -> None:
    due = divide(HOURLY, Policy(catch_up=catch_up), after=NOON - timedelta(minutes=1), until=NOON)
    assert (due.missed, due.fire) == ([], [NOON])


def test_of_a_long_downtime_the_newest_are_recorded() -> None:
    due = divide(every(minutes=1), Policy(catch_up="none"), after=NOON - timedelta(days=300), until=NOON)
    assert due.fire == [NOON]
    assert len(due.missed) == MOST_MISSED
    assert due.missed[-1] == NOON - timedelta(minutes=1)


@given(
    st.sampled_from(["one", "all", "none"]),
    st.floats(GRACE, 20_000),
    st.integers(1, 90),
    st.timedeltas(timedelta(), timedelta(hours=12)),
)
def test_every_instant_is_either_fired_or_missed(
    catch_up: CatchUp, window: float, minutes: int, length: timedelta
) -> None:
    schedule, until = every(minutes=minutes), NOON + timedelta(seconds=30)
    due = divide(schedule, Policy(catch_up=catch_up, catch_up_window=window), after=until - length, until=until)
    assert [*due.missed, *due.fire] == firings_between(schedule, until - length, until)
    limit = GRACE if catch_up == "none" else window
    in_window = [instant for instant in [*due.missed, *due.fire] if (until - instant).total_seconds() < limit]
    assert due.fire == (in_window[-1:] if catch_up == "one" else in_window)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"catch_up": "some"}, "catch_up must be one of one, all, none, not 'some'"),
        ({"overlap": "queue"}, "overlap must be one of allow, skip, not 'queue'"),
        ({"catch_up_window": 5}, "catch_up_window must be 60 seconds at least, not 5"),
    ],
)
def test_a_wrong_policy_is_refused(options: dict[str, object], words: str) -> None:
    with pytest.raises(DeclarationError, match=words):
        Policy(**options)  # type: ignore[arg-type]
