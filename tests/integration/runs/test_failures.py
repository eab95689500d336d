"""Troubles, as the history and the dead letters tell of them."""

from datetime import timedelta
from typing import Any

import pytest

from apps.core.dead_letters.models import DeadLetter
from apps.core.runs.failures import FailureGroup, groups

from .made import NOW, a_run, written

pytestmark = pytest.mark.django_db
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def failed(ago: timedelta, fingerprint: str = "f", **facts: Any) -> Any:
    return a_run(ago, **{"event": "failed", "error": "ValueError", "fingerprint": fingerprint, **facts})


def letter(ago: timedelta, fingerprint: str = "f", *, closed: timedelta | None = None, **facts: Any) -> DeadLetter:
    made = {
        "error": "ValueError",
        "task": "send_mail",
        "reason": "permanent",
        "queue": "email",
        "attempts": 1,
        **facts,
    }
    at = {"first_at": NOW - ago, "last_at": NOW - ago}
    if closed is not None:
        made |= {"state": DeadLetter.State.DISCARDED, "closed_at": NOW - closed}
    return DeadLetter.objects.create(
        kept_as=f"{fingerprint}{DeadLetter.objects.count()}", fingerprint=fingerprint, message=b"", **at, **made
    )


def the_group() -> FailureGroup:
    (group,) = groups(NOW)
    return group


def test_a_trouble_is_told_from_its_first_to_its_last() -> None:
    written(
        failed(3 * DAY, task="old_name"),
        failed(2 * HOUR),
        failed(1.5 * HOUR, event="retried"),
        failed(0 * HOUR, error="KeyError"),
        a_run(),
    )
    letter(4 * DAY)
    letter(2 * HOUR)
    letter(1 * HOUR, closed=0 * HOUR)
    assert the_group() == FailureGroup(
        fingerprint="f",
        task="send_mail",
        error="KeyError",
        first_seen=NOW - 4 * DAY,
        last_seen=NOW,
        count=4,
        open_letters=2,
        trend=(*[0] * 21, 1, 1, 1),
        is_new=False,
        regressed=False,
    )


def test_the_latest_come_first_and_so_many_at_most() -> None:
    written(failed(3 * HOUR, "a"), failed(1 * HOUR, "b"), failed(2 * HOUR, "c"))
    assert [group.fingerprint for group in groups(NOW)] == ["b", "c", "a"]
    assert [group.fingerprint for group in groups(NOW, limit=2)] == ["b", "c"]
    assert groups(NOW, limit=0) == []


def test_letters_without_a_run_are_a_trouble_too() -> None:
    letter(40 * DAY, error="", reason="expired")
    group = the_group()
    assert (group.count, group.open_letters, group.error, sum(group.trend)) == (1, 1, "", 0)


@pytest.mark.parametrize(("ago", "new"), [(DAY - HOUR, True), (DAY + HOUR, False)])
def test_what_was_first_seen_within_a_day_is_new(ago: timedelta, new: bool) -> None:
    written(failed(ago), failed(0 * HOUR))
    assert the_group().is_new is new


def test_what_is_seen_again_after_all_was_closed_has_come_back() -> None:
    written(failed(3 * DAY), failed(2 * HOUR))
    letter(3 * DAY, closed=2 * DAY)
    letter(2 * HOUR)
    assert the_group().regressed


def test_what_was_closed_only_in_part_has_never_gone() -> None:
    written(failed(3 * DAY), failed(2 * HOUR))
    letter(3 * DAY, closed=2 * DAY)
    letter(4 * DAY)
    assert not the_group().regressed


def test_what_is_closed_and_was_not_seen_since_is_gone() -> None:
    written(failed(3 * DAY))
    letter(3 * DAY, closed=2 * DAY)
    assert not the_group().regressed


@pytest.mark.parametrize(
    ("seen", "regressed"),
    [((8 * DAY, 0 * DAY), True), ((6 * DAY, 0 * DAY), False), ((20 * DAY, 10 * DAY, 6 * DAY), False)],
)
def test_what_is_seen_again_after_a_week_of_silence_has_come_back_for_a_week(
    seen: tuple[timedelta, ...], regressed: bool
) -> None:
    written(*(failed(ago) for ago in seen))
    assert the_group().regressed is regressed
