"""An observation in Prometheus's words."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from . import families
from .counts import of_totals
from .levels import of_snapshot
from .observation import Observation


class ObservationCollector(Collector):
    def __init__(self, observation: Observation) -> None:
        self._observation = observation

    def collect(self) -> Iterator[Metric]:
        """Families without a single line are left out."""
        return (metric for metric in _metrics(self._observation) if metric.samples)


def export(observation: Observation, *, accept: str = "") -> tuple[bytes, str]:
    """The text and its content type: the one of OpenMetrics where the scraper accepts that."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(ObservationCollector(observation))
    encode: Callable[[CollectorRegistry], bytes]
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


def _metrics(seen: Observation) -> Iterator[Metric]:
    if seen.totals is not None:
        yield from of_totals(seen.totals)
    yield from of_snapshot(seen.snapshot)
    actions = families.OPERATOR_ACTIONS.counter()
    for (action, result), count in sorted((seen.operator_actions or {}).items()):
        actions.add_metric([action, result], count)
    yield actions
    up = families.UP.gauge()
    for source, is_up in sorted(seen.up.items()):
        up.add_metric([source], int(is_up))
    yield up
    last = families.LAST_COLLECTED.gauge()
    if seen.last_success is not None:
        last.add_metric([], seen.last_success.timestamp())
    yield last
