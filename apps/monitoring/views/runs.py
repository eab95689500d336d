"""The history of runs, searched."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from apps.core.runs.models import JobRun
from apps.core.runs.query import BadQueryError, RunQuery
from apps.core.runs.search import Cursor, count, search
from apps.reports.rendering.formulas import neutralised
from apps.reports.rendering.texts import readable

from ..access import page
from ..signs import Sign, of_run
from .base import show

ON_A_PAGE: Final = 50
EXPORTED_AT_MOST: Final = 100_000
EXPORTED_AT_ONCE: Final = 1000
EXAMPLES: Final = (
    ("state:failed since:2h", "what failed within two hours"),
    ("queue:email error:Timeout", "errors of one kind in a queue"),
    ("task:send_ticket_email 4711", "runs of a task with 4711 in their arguments"),
    ("state:retried since:1d", "what had to be tried again"),
    ("tenant:7 since:3d", "of one tenant"),
)
COLUMNS: Final = (
    *("job", "task", "queue", "event", "reason", "attempt", "ready_at", "started_at", "ended_at", "wait_seconds"),
    *("run_seconds", "worker", "pid", "error", "error_text", "fingerprint", "args", "kwargs", "tenant", "user"),
    *("correlation", "entry", "firing", "idempotency_key", "parent", "root", "duplicate_of"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    run: JobRun
    sign: Sign
    narrower: dict[str, str]  # field -> the address of the same search, with this run's value of it as well


@require_safe
@page
def runs(request: HttpRequest) -> HttpResponse:
    text, before = request.GET.get("q", ""), request.GET.get("before", "")
    found, query, trouble = None, RunQuery(), ""
    try:
        query = RunQuery.parse(text)
        found = search(query, before=Cursor.parse(before) if before else None, limit=ON_A_PAGE)
    except BadQueryError as error:
        trouble = str(error)
    return show(
        request,
        "monitoring/runs.html",
        title="Runs",
        place="runs",
        q=text,
        trouble=trouble,
        examples=[(_address(example), example, words) for example, words in EXAMPLES],
        found=found,
        rows=[_row(query, run) for run in found.runs] if found else [],
        older=_address(text, before=found.next) if found and found.next else "",
        newest=_address(text) if before else "",
        is_narrowed=bool(query),
        export=f"{reverse('admin:monitoring_celery_runs_export')}?{urlencode({'q': text})}",
    )


@require_http_methods(["GET", "HEAD", "POST"])
@page
def runs_export(request: HttpRequest) -> HttpResponseBase:
    """First how many there are, then a file of them."""
    text = (request.POST if request.method == "POST" else request.GET).get("q", "")
    now, counted, trouble = datetime.now(UTC), None, ""
    try:
        query = RunQuery.parse(text)
        if request.method == "POST":
            return _file(query, now)
        counted = count(query, EXPORTED_AT_MOST, now=now)
    except BadQueryError as error:
        trouble = str(error)
    return show(
        request,
        "monitoring/runs_export.html",
        title="Export runs",
        place="runs",
        status=400 if trouble else 200,
        q=text,
        trouble=trouble,
        counted=counted,
        most=EXPORTED_AT_MOST,
        back=_address(text),
    )


def _file(query: RunQuery, now: datetime) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        _lines(query, now),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="runs-{now:%Y-%m-%d-%H%M%S}.csv"'},
    )


class _Echo:
    """What csv.writer writes to: it gives back each line."""

    def write(self, line: str) -> str:
        return line


def _lines(query: RunQuery, now: datetime) -> Iterator[str]:
    """As apps/reports writes CSV: with a byte order mark, for Excel, and without a text that could be a formula."""
    table: Any = csv.writer(_Echo(), lineterminator="\r\n")
    yield "\ufeff" + table.writerow(COLUMNS)
    left, before = EXPORTED_AT_MOST, None
    while left:
        found = search(query, before=before, limit=min(EXPORTED_AT_ONCE, left), now=now)
        yield from (table.writerow(_fields(run)) for run in found.runs)
        left, before = left - len(found.runs), found.next
        if before is None or found.bound is not None:
            if found.bound is not None:
                yield table.writerow([f"(incomplete: the search took too long. {found.bound.advice})"])
            return
    yield table.writerow([f"(incomplete: only the newest {EXPORTED_AT_MOST:,} are here)"])


def _fields(run: JobRun) -> Iterator[str]:
    for column in COLUMNS:
        value = getattr(run, column)
        match value:
            case None:
                yield ""
            case str():
                yield neutralised(readable(value))
            case datetime():
                yield value.astimezone(UTC).isoformat()
            case _:
                yield str(value)


def _row(query: RunQuery, run: JobRun) -> Row:
    those = {"task": run.task, "queue": run.queue, "tenant": run.tenant, "error": run.error, "entry": run.entry}
    change: Any = replace
    narrower = {name: _address(change(query, **{name: value})) for name, value in those.items() if value}
    narrower["state"] = _address(replace(query, state=(run.event,)))
    return Row(run=run, sign=of_run(run.event), narrower=narrower)


def _address(query: RunQuery | str, *, before: Cursor | None = None) -> str:
    given = {"q": str(query)} | ({"before": str(before)} if before else {})
    return f"{reverse('admin:monitoring_celery_runs')}?{urlencode(given)}"
