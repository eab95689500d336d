"""A worker whose child died while it was looking for its server goes on."""

from types import SimpleNamespace
from typing import Any

from apps.core.broker.consumer import LeasedConsumer


def test_a_child_whose_death_was_noticed_by_half_is_watched_again() -> None:
    """Celery marks it as watched no more by None, and would register that as a descriptor."""
    dead, living, fresh = SimpleNamespace(_sentinel_poll=None), SimpleNamespace(_sentinel_poll=7), SimpleNamespace()
    consumer: Any = object.__new__(LeasedConsumer)
    consumer.pool = SimpleNamespace(_pool=SimpleNamespace(_pool=[dead, living, fresh]))
    for name in ("connection", "task_consumer", "blueprint", "hub", "qos", "amqheartbeat", "amqheartbeat_rate"):
        setattr(consumer, name, None)
    consumer.app = SimpleNamespace(clock=None)
    assert consumer.loop_args()[0] is consumer
    assert not hasattr(dead, "_sentinel_poll")
    assert living._sentinel_poll == 7
