"""A broker that is down, and a database that refuses a job's row."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.db.models import F

from apps.core.broker.store import MessageStore
from apps.core.models import OutboxMessage
from apps.core.outbox import Relay
from apps.core.redis_client import connect
from intelliwiz_config.celery import app


@contextmanager
def broker_out_of_reach() -> Iterator[None]:
    """This process's enqueuers find nobody at the broker's address."""
    real = app.outlet.store
    app.outlet.store = MessageStore(
        connect("redis://127.0.0.1:1/0", connect_timeout=0.2, reply_timeout=0.2, retries=0)
    )
    try:
        yield
    finally:
        app.outlet.store = real
        app.outlet._spared_until = 0.0


@contextmanager
def rows_of_tenant_refused(tenant_id: int) -> Iterator[None]:
    """The database takes no row for a job of this tenant."""
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE bgjobs_outboxmessage ADD CONSTRAINT refused"
            f" CHECK (message::jsonb #>> '{{headers,bgjobs_tenant}}' <> '{int(tenant_id)}') NOT VALID"
        )
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE bgjobs_outboxmessage DROP CONSTRAINT refused")


def relay() -> None:
    """Do what the relay does, once the enqueuers' own time to publish is over."""
    OutboxMessage.objects.update(created_at=F("created_at") - timedelta(seconds=10))
    Relay(app.outlet.store).work()
