"""What becomes of work that nobody finished in time."""

import pytest

from apps.operations.models import JobNeed
from apps.operations.outcome import outcome_of

ASSIGNED, IN_PROGRESS, PARTIALLY_COMPLETED, COMPLETED, AUTO_CLOSED = JobNeed.Status.values


@pytest.mark.parametrize(
    ("status", "checkpoints", "checklist", "outcome"),
    [
        pytest.param(ASSIGNED, [], [], AUTO_CLOSED, id="work that was never begun is closed"),
        pytest.param(
            ASSIGNED, [COMPLETED, ASSIGNED], [], AUTO_CLOSED, id="so is a tour, whatever its checkpoints say"
        ),
        pytest.param(ASSIGNED, [COMPLETED], [True], AUTO_CLOSED, id="even where all of them are done"),
        pytest.param(IN_PROGRESS, [], [], AUTO_CLOSED, id="work begun that shows nothing for itself is closed"),
        pytest.param(
            IN_PROGRESS, [ASSIGNED, ASSIGNED], [], AUTO_CLOSED, id="a tour without a checkpoint done is closed"
        ),
        pytest.param(IN_PROGRESS, [COMPLETED, ASSIGNED], [], PARTIALLY_COMPLETED, id="some checkpoints are a part"),
        pytest.param(
            IN_PROGRESS, [COMPLETED, IN_PROGRESS], [], PARTIALLY_COMPLETED, id="one in progress is not done"
        ),
        pytest.param(
            IN_PROGRESS, [COMPLETED, ASSIGNED], [True], PARTIALLY_COMPLETED, id="a checklist changes no part"
        ),
        pytest.param(IN_PROGRESS, [COMPLETED, COMPLETED], [], COMPLETED, id="all checkpoints are the whole"),
        pytest.param(
            IN_PROGRESS, [COMPLETED, COMPLETED], [True], COMPLETED, id="with a checklist that is done as well"
        ),
        pytest.param(IN_PROGRESS, [COMPLETED, COMPLETED], [True, False], AUTO_CLOSED, id="but not with an open line"),
        pytest.param(IN_PROGRESS, [], [True, True], COMPLETED, id="a checklist alone can be the whole"),
        pytest.param(IN_PROGRESS, [], [True, False], AUTO_CLOSED, id="a checklist with an open line is not"),
    ],
)
def test_the_outcome_follows_from_status_checkpoints_and_checklist(status, checkpoints, checklist, outcome):
    assert outcome_of(status, checkpoints, checklist) == outcome
