"""Half a minute of what `make chaos` does to durable jobs for five."""

from collections import Counter
from pathlib import Path

import pytest
from rich.console import Console

from .durable.run import run
from .durable.scenario import ENQUEUER_STEPS, SHORT, WORKER_STEPS
from .durable.table import shown

SEED = 5  # the blows are the same each time; whom they hit, and when a job runs, is not


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_each_committed_job_has_its_effect_once_whatever_is_killed_emptied_or_set_back(tmp_path: Path) -> None:
    verdict = run(SHORT, tmp_path, SEED)
    Console().print(shown(verdict))
    assert verdict.broken == []
    assert len(verdict.committed) >= SHORT.jobs
    assert verdict.rolled_back
    assert verdict.done == Counter(blow for _, blow in SHORT.blows(SEED))
    assert {*ENQUEUER_STEPS, *WORKER_STEPS} <= verdict.killed_at.keys()  # else it has shown less than it could
