"""Numbers beside the plain list of what they count."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from apps.core.metrics.events import CHECK_EDGES, Field, field
from apps.core.metrics.numbers import Numbers

FIELDS = st.builds(
    Field,
    st.sampled_from(["published", "failed", "retried"]),
    st.sampled_from(["email", "critical"]),
    st.sampled_from(["-", "transient", "permanent"]),
    st.sampled_from(["-", "send mail", "close"]),
)


def numbers(**counts: int) -> Numbers:
    return Numbers.read({name.encode(): count for name, count in counts.items()}, span_seconds=60)


@given(st.lists(FIELDS))
def test_counts_are_those_of_the_plain_list(happened: list[Field]) -> None:
    found = Numbers.of(Counter(happened), span_seconds=60)
    for event in ("published", "failed", "retried"):
        those = [one for one in happened if one.event == event]
        assert found.count(event) == len(those)
        assert found.count(event, queue="email") == sum(one.queue == "email" for one in those)
        assert found.count(event, queue="email", task="close", reason="transient") == sum(
            (one.queue, one.task, one.reason) == ("email", "close", "transient") for one in those
        )
        assert found.by(event, "queue") == Counter(one.queue for one in those)
        assert found.by(event, "reason", task="close") == Counter(one.reason for one in those if one.task == "close")
    assert found.tasks() == sorted({(one.task, one.queue) for one in happened if one.task != "-"})


def test_a_histogram_is_that_of_its_measure_queue_and_task() -> None:
    found = numbers(
        **{
            field("wait_le", "email", "0", "a"): 3,
            field("wait_le", "email", "15", "b"): 2,
            field("wait_le", "critical", "1", "a"): 1,
            field("wait_us", "email", task="a"): 60_000,
            field("wait_us", "email", task="b"): 3_600_000_000,
            field("check_le", "email", "11", "a"): 1,
        }
    )
    waited = found.histogram("wait", queue="email")
    assert (waited.count, waited.sum_seconds, waited.buckets[0], waited.buckets[15]) == (5, 3600.06, 3, 2)
    assert found.histogram("wait", task="a").count == 4
    assert found.histogram("run").count == 0
    checked = found.histogram("check")
    assert (checked.edges, checked.buckets[-1]) == (CHECK_EDGES, 1)


def test_a_bucket_that_there_is_not_is_ignored() -> None:
    found = numbers(**{field("run_le", "email", reason, "a"): 1 for reason in ("16", "-1", "-", "x", "²", "2")})
    assert found.histogram("run").count == 1


def test_a_field_that_is_none_of_ours_is_ignored() -> None:
    assert numbers(**{"nonsense": 1, field("started", "email", task="a"): 2}).tasks() == [("a", "email")]
