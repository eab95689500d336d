"""The state machine of an occurrence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.operations.models import JobNeed
from apps.operations.outcome import outcome_of
from apps.operations.transitions import LEGAL, IllegalTransition, require_legal

Status = JobNeed.Status
statuses = st.sampled_from(list(Status))


def test_every_status_has_a_line_in_the_table():
    assert set(LEGAL) == set(Status)


@given(before=statuses, after=statuses)
def test_a_transition_is_legal_or_an_error_that_names_both_statuses(before, after):
    if after in LEGAL[before]:
        require_legal(before, after)
    else:
        with pytest.raises(IllegalTransition, match=f"{before} cannot become {after}"):
            require_legal(before, after)


@given(path=st.lists(statuses, min_size=1, max_size=8))
def test_no_path_leaves_completed_or_returns_to_an_open_status(path):
    reached = Status.ASSIGNED
    for wanted in path:
        try:
            require_legal(reached, wanted)
        except IllegalTransition:
            continue
        assert reached not in {Status.COMPLETED, Status.PARTIALLY_COMPLETED}
        assert wanted != Status.ASSIGNED
        assert not (reached == Status.AUTO_CLOSED and wanted != Status.COMPLETED)
        reached = wanted


@given(
    status=st.sampled_from(JobNeed.OPEN),
    checkpoints=st.lists(statuses, max_size=5),
    checklist=st.lists(st.booleans(), max_size=5),
)
def test_every_outcome_of_open_work_is_a_legal_and_final_step(status, checkpoints, checklist):
    outcome = outcome_of(status, checkpoints, checklist)
    require_legal(status, outcome)
    assert outcome not in JobNeed.OPEN
