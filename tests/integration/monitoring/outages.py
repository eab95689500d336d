"""Servers that are down, for this process."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from celery import current_app
from django.db import OperationalError, connection

from apps.monitoring import broker_trouble, looking

NOBODY = "leased://127.0.0.1:1/0"


@contextmanager
def broker_down() -> Iterator[None]:
    real = current_app.conf.broker_url
    current_app.conf.broker_url = NOBODY
    looking.forget()
    broker_trouble.forget()
    try:
        yield
    finally:
        current_app.conf.broker_url = real
        looking.forget()
        broker_trouble.forget()


@contextmanager
def database_down() -> Iterator[None]:
    def refuse(*_: Any) -> None:
        raise OperationalError("the server is gone")

    looking.forget()
    with connection.execute_wrapper(refuse):
        yield
    looking.forget()
