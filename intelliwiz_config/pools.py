"""The worker pools: `make run`, the deployment files and the system checks all read this table.

Critical and user-facing work have slots of their own, so that no report, however long, delays them.

Pools with a short SLA have no child limits: Celery notices a child that has ended at its limit on a five-second tick,
and the job that was handed to it waits that long (measured: 4.7 s, by benchmarks/reserved_slots.py).
"""

from apps.core.queues import Pool

POOLS = (
    # Both sweeps may work at once and still leave slots for alerts.
    Pool(name="critical", queues=("critical",), concurrency=4),
    Pool(name="high_priority", queues=("high_priority",), concurrency=2),
    Pool(name="messages", queues=("email", "external_api"), concurrency=2),
    Pool(name="reports", queues=("reports",), concurrency=2, max_memory_per_child=400_000),
    Pool(name="maintenance", queues=("maintenance",), concurrency=1, max_memory_per_child=400_000),
    Pool(name="ml_training", queues=("ml_training",), concurrency=1, max_memory_per_child=1_000_000),
)
