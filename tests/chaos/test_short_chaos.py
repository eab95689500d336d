"""A minute of what `make chaos` does for ten minutes."""

from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from .run import run
from .scenario import SHORT
from .table import compared

SEED = 5  # the blows are the same each time; whom they hit, and when a job runs, is not


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_nothing_is_lost_or_finished_twice_while_workers_and_the_server_are_killed(tmp_path: Path) -> None:
    verdict = run(SHORT, "leased", tmp_path, SEED)
    Console().print(compared({"ours": verdict}))
    assert verdict.broken == []
    assert verdict.left == {}
    assert len(verdict.published) == SHORT.jobs
    assert verdict.done == Counter(blow for _, blow in SHORT.blows(SEED))
    assert verdict.killed_attempts > 0  # else it has shown nothing
