"""The objective of each queue: how fast its error budget is used up. Thresholds are those of the SRE workbook."""

from collections.abc import Iterator
from typing import Final

from ...metrics.windows import Window
from ..problem import Problem
from ..queue_health import QueueHealth
from ..snapshot import Snapshot

# A month's budget would be gone in two days, or in five. The shorter window says that it still goes on.
FAST: Final = (14.4, Window.H1, Window.M5)
SLOW: Final = (6.0, Window.H24, Window.H1)
FEWEST: Final = 5  # late jobs in the longer window: where few start, one that is late is no trend


def of_objectives(snapshot: Snapshot) -> Iterator[Problem]:
    for one in snapshot.queues:
        if _burns(one, *FAST):
            yield _problem(one, "sla_burns_fast", Window.H1)
        elif _burns(one, *SLOW):
            yield _problem(one, "sla_burns_slowly", Window.H24)


def _burns(one: QueueHealth, threshold: float, longer: Window, shorter: Window) -> bool:
    if one.numbers is None or one.numbers.late[longer] < FEWEST:
        return False
    rates = (one.numbers.burn_rate[longer], one.numbers.burn_rate[shorter])
    return all(rate is not None and rate >= threshold for rate in rates)


def _problem(one: QueueHealth, code: str, window: Window) -> Problem:
    assert one.numbers is not None  # noqa: S101 - it burns
    share, rate = one.numbers.attainment[window], one.numbers.burn_rate[window]
    return Problem(
        code=code,
        severity="critical" if code == "sla_burns_fast" else "warning",
        queue=one.name,
        message=f"{1 - (share or 0.0):.1%} of the jobs of {one.name} have started late in the last {window}, where "
        f"{1 - one.queue.slo_target:.1%} may: its error budget is used up {rate:.1f} times faster than planned",
        hint=f"Start more workers for {one.name}, or look for what keeps them busy.",
    )
