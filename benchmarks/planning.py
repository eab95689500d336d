"""Generating the occurrences of 10,000 templates: time, statements per batch, and the second run.

Goals: under 60 s; the same number of statements whatever is in a batch; the second run creates nothing.
python -m benchmarks.planning
"""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deploy.local import Stack, database
from deploy.local.output import Terminal

if TYPE_CHECKING:
    from apps.operations.services import PlanningOutcome

TEMPLATES, SITES = 10_000, 100
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
ZONES = ("Asia/Kolkata", "America/New_York", "Europe/London", "Australia/Sydney", "America/Sao_Paulo")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, Stack(Path(folder)) as stack:
        stack.start_servers()
        os.environ |= stack.environment | {
            "DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.development",
            "LOG_LEVEL": "ERROR",
        }
        database.make_ready(stack.state_dir, Terminal(None))
        import django

        django.setup()
        from apps.operations.services import plan_other_work, plan_ppm

        for name, cron, kind, plan in (
            ("weekly maintenance, 30 days", "{m} {h} * * {d}", "PPM", plan_ppm),
            ("daily maintenance, 30 days", "{m} {h} * * *", "PPM", plan_ppm),
            ("daily tours of 5 checkpoints, 2 days", "{m} {h} * * *", "EXTERNAL_TOUR", plan_other_work),
        ):
            make_templates(cron, kind, checkpoints=5 if kind == "EXTERNAL_TOUR" else 0)
            print(f"{TEMPLATES:,} templates: {name}")
            show("first run", plan, NOW)
            show("second run", plan, NOW)
            show("12 hours later", plan, NOW + timedelta(hours=12))
            change_all()
            show("all changed", plan, NOW + timedelta(hours=12))
        stack.discard()


def make_templates(cron: str, kind: str, *, checkpoints: int) -> None:
    """Templates of one company at many sites, with a checklist of three lines, and no others."""
    from apps.operations.models import Job
    from apps.organization.models import Asset, Person, Site, Tenant

    clear()
    tenant = Tenant.objects.create(slug="benchmark", name="Benchmark")
    guard = Person.objects.create(tenant=tenant, name="Gus", email="gus@benchmark.example")
    places = []
    for n in range(SITES):
        site = Site.objects.create(tenant=tenant, code=f"S{n}", name=f"Site {n}", timezone=ZONES[n % len(ZONES)])
        places.append((site, Asset.objects.create(site=site, code="A", name="Asset")))

    def job(n: int, **fields: Any) -> Job:
        site, asset = places[n % SITES]
        fields = {"checklist": ["Oil", "Fuel", "Under load"], "kind": kind, **fields}
        return Job(site=site, asset=asset, name=f"Job {n}", assignee_person=guard, valid_from=NOW, **fields)

    roots = Job.objects.bulk_create(
        (job(n, cron=cron.format(m=n % 60, h=n % 24, d=n % 7)) for n in range(TEMPLATES)), batch_size=2000
    )
    Job.objects.bulk_create(
        (
            job(n, parent=root, seqno=seqno, plan_minutes=5, checklist=[])
            for n, root in enumerate(roots)
            for seqno in range(checkpoints)
        ),
        batch_size=2000,
    )


def clear() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE organization_tenant CASCADE")


def change_all() -> None:
    from apps.operations.models import Job

    Job.objects.filter(parent=None).update(plan_minutes=45)


def show(name: str, plan: "Callable[..., PlanningOutcome]", now: datetime) -> None:
    from django.db import connection

    statements = []

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(count):
        began = time.perf_counter()
        outcome = plan(now=now)
        took = time.perf_counter() - began
    batches = sum(sql.startswith("SELECT") and "FOR NO KEY UPDATE" in sql for sql in statements)
    counts = ", ".join(f"{key} {value:,}" for key, value in sorted(outcome.counts.items()))
    each = f"{len(statements) / batches:.1f} statements in each of {batches} batches"
    print(f"  {name:15} {took:6.1f} s; {each}; {counts}")


if __name__ == "__main__":
    main()
