"""The places of the dashboard: the one table of the navigation and of the keyboard shortcuts."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    name: str  # of the address: admin:monitoring_celery_<name>
    title: str
    key: str  # after g

    @property
    def url_name(self) -> str:
        return f"admin:monitoring_celery_{self.name}"


PLACES: Final = (
    Place(name="changelist", title="Overview", key="o"),
    Place(name="runs", title="Runs", key="r"),
    Place(name="failures", title="Failures", key="f"),
    Place(name="schedules", title="Schedules", key="s"),
    Place(name="workers", title="Workers", key="w"),
    Place(name="idempotency", title="Idempotency", key="i"),
    Place(name="audit", title="Audit", key="a"),
)
