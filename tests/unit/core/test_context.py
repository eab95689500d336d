from datetime import UTC, datetime

from apps.core import context
from apps.core.context import JobContext


def test_a_context_survives_its_way_through_headers() -> None:
    sent = JobContext(tenant_id="7", user_id="9", correlation_id="c", firing="2026-11-23T12:12:00+00:00")
    assert JobContext.from_headers(sent.headers()) == sent
    assert sent.firing_instant == datetime(2026, 11, 23, 12, 12, tzinfo=UTC)


def test_absent_values_have_no_header() -> None:
    assert JobContext(tenant_id="7").headers() == {"bgjobs_tenant": "7"}


def test_headers_that_are_no_text_are_dropped() -> None:
    assert JobContext.from_headers({"bgjobs_tenant": {"$ne": 1}, "bgjobs_user": 5, "id": "x"}) == JobContext()


def test_children_inherit_all_but_the_firing() -> None:
    parent = JobContext(tenant_id="7", correlation_id="c", firing="2026-11-23T12:12:00+00:00")
    assert parent.for_children() == JobContext(tenant_id="7", correlation_id="c")


def test_children_of_nobody_get_a_correlation_id_of_their_own() -> None:
    first, second = JobContext().for_children(), JobContext().for_children()
    assert first.correlation_id
    assert first.correlation_id != second.correlation_id


def test_a_block_changes_the_context_and_gives_it_back() -> None:
    with context.using(tenant_id=7):
        with context.using(user_id=9):
            assert context.current() == JobContext(tenant_id="7", user_id="9")
        assert context.current() == JobContext(tenant_id="7")
    assert context.current() == JobContext()
