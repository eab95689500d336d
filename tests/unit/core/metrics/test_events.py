"""The names of counts."""

import pytest

from apps.core.metrics.events import CHECK_EDGES, EDGES, Field, field, parse
from apps.core.queues import QUEUES
from apps.core.retry import FailureReason


def test_a_name_is_read_as_it_was_made() -> None:
    made = field("failed", "email", FailureReason.TRANSIENT, "send mail to all")
    assert parse(made.encode()) == Field("failed", "email", "transient", "send mail to all")
    assert parse(field("published").encode()) == Field("published", "-", "-", "-")


@pytest.mark.parametrize(
    "name",
    [b"", b"failed", b"failed email -", b"failed email - ", b"nonsense email - task", b"failed  - task", b"\xff"],
)
def test_what_is_none_of_ours_has_no_field(name: bytes) -> None:
    assert parse(name) is None


def test_every_sla_is_an_edge() -> None:
    assert {queue.sla_seconds for queue in QUEUES} <= set(EDGES)


def test_edges_grow() -> None:
    assert list(EDGES) == sorted(set(EDGES))
    assert list(CHECK_EDGES) == sorted(set(CHECK_EDGES))
