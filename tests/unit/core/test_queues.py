import pytest

from apps.core.exceptions import DeclarationError, UnknownQueueError
from apps.core.queues import QUEUES, Pool, queue_named
from intelliwiz_config.pools import POOLS


def test_the_seven_queues_stand_in_the_order_of_their_rank() -> None:
    assert [(queue.name, queue.rank, queue.sla_seconds) for queue in QUEUES] == [
        ("critical", 10, 2),
        ("high_priority", 8, 3),
        ("email", 7, 5),
        ("reports", 6, 60),
        ("external_api", 5, 10),
        ("maintenance", 3, 300),
        ("ml_training", 0, 1800),
    ]


def test_an_unknown_queue_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(UnknownQueueError, match="no queue 'hi_priority'; did you mean 'high_priority'"):
        queue_named("hi_priority")


def test_a_queue_like_no_other_is_refused_with_all_names() -> None:
    with pytest.raises(UnknownQueueError, match="known: critical, email, external_api"):
        queue_named("zzz")


def test_every_queue_has_a_consumer() -> None:
    assert {queue for pool in POOLS for queue in pool.queues} == {queue.name for queue in QUEUES}


@pytest.mark.parametrize("reserved", ["critical", "high_priority"])
def test_urgent_queues_have_slots_that_no_other_queue_can_take(reserved: str) -> None:
    assert [pool.queues for pool in POOLS if reserved in pool.queues] == [(reserved,)]


def test_a_pool_with_an_unknown_queue_is_refused() -> None:
    with pytest.raises(UnknownQueueError, match="did you mean 'reports'"):
        Pool(name="p", queues=("report",), concurrency=1)


def test_a_pool_without_queues_is_refused() -> None:
    with pytest.raises(DeclarationError, match="serves no queue"):
        Pool(name="p", queues=(), concurrency=1)


def test_a_pool_without_slots_is_refused() -> None:
    with pytest.raises(DeclarationError, match="concurrency >= 1"):
        Pool(name="p", queues=("email",), concurrency=0)


def test_child_limits_on_threads_are_refused() -> None:
    with pytest.raises(DeclarationError, match="prefork pools only"):
        Pool(name="p", queues=("email",), concurrency=1, kind="threads", max_tasks_per_child=5)


def test_the_worker_arguments_of_a_pool_name_its_queues_in_strict_order() -> None:
    pool = Pool(name="p", queues=("email", "external_api"), concurrency=3, max_memory_per_child=1000)
    assert pool.worker_arguments() == [
        "--queues=email,external_api",
        "--pool=prefork",
        "--concurrency=3",
        "--hostname=p@%h",
        "--max-memory-per-child=1000",
    ]
