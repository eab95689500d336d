"""Jobs that call a service, for tests with real workers."""

import time
from urllib.request import urlopen

from celery import shared_task

from apps.core.tasks import ExternalServiceTask

from ..workers import see

SERVICE = "test-service"  # settings/test.py has its thresholds


@shared_task(base=ExternalServiceTask, name="test.call_out", default_retry_delay=2, max_retries=50)
def call_out(self: ExternalServiceTask, number: int, url: str) -> int:
    with self.external_service_call(SERVICE, timeout=10) as call:
        urlopen(f"{url}/{number}", timeout=call.remaining).close()  # noqa: S310 - a server of the test's own
    see({"job": self.request.id, "number": number, "retries": self.request.retries, "at": time.time()})
    return number
