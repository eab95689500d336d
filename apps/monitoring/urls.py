"""Every address of the app, under /admin/monitoring/celery/. Their names are admin:monitoring_celery_<name>.

A page that people see is a function with `@page` of access.py that ends with `show()` of views/base.py; what programs
read decides itself whom it answers. A new address needs a line here, and one in tests/integration/monitoring/roles.py
that says who gets which answer.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.http.response import HttpResponseBase

from .api.health import health
from .api.metrics import metrics
from .api.schema import schema
from .api.unknown import unknown
from .views.actions import action
from .views.audit import audit
from .views.failures import failures
from .views.idempotency import idempotency
from .views.overview import overview
from .views.queue import queue
from .views.run import run
from .views.runs import runs, runs_export
from .views.schedules import schedules
from .views.workers import workers

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An address and what answers there."""

    route: str  # as django.urls.path() takes it, below the app's own address
    name: str
    view: View
    without_database: bool = False  # answers while PostgreSQL is down: then no middleware runs around it


PAGES_OF_JOBS: Final[tuple[Page, ...]] = (
    Page(route="runs/", name="runs", view=runs),
    Page(route="runs.csv", name="runs_export", view=runs_export),
    Page(route="runs/<path:job>/", name="run", view=run),  # whoever enqueues a job may choose any text for its id
    Page(route="failures/", name="failures", view=failures),
    Page(route="schedules/", name="schedules", view=schedules),
)

# Of programs: add those of the JSON API here, with without_database=True where they can do without.
PAGES_OF_PROGRAMS: Final[tuple[Page, ...]] = (
    Page(route="api/metrics/", name="api_metrics", view=metrics, without_database=True),
    Page(route="api/health/", name="api_health", view=health, without_database=True),
    Page(route="api/schema/", name="api_schema", view=schema, without_database=True),
    Page(route="api/<path:rest>", name="api_unknown", view=unknown, without_database=True),
)

PAGES: Final[tuple[Page, ...]] = (
    Page(route="", name="changelist", view=overview, without_database=True),
    Page(route="queues/<str:name>/", name="queue", view=queue),
    Page(route="workers/", name="workers", view=workers),
    Page(route="idempotency/", name="idempotency", view=idempotency),
    Page(route="audit/", name="audit", view=audit),
    Page(route="actions/<slug:name>/", name="action", view=action),
    *PAGES_OF_JOBS,
    *PAGES_OF_PROGRAMS,
)


def url_name(name: str) -> str:
    """What Django calls the address, after "admin:"."""
    return f"monitoring_celery_{name}"
