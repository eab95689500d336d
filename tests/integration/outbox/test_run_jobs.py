"""Django's TestCase rolls back; the fixture runs what would have been published."""

import pytest
from celery import chain
from django.contrib.auth import get_user_model

from apps.core.models import OutboxMessage
from apps.core.testing import run_jobs

from .jobs import pay, pay_later, plain

__all__ = ["run_jobs"]

pytestmark = pytest.mark.django_db


def test_under_a_test_case_rows_stay_unpublished(waiting, django_capture_on_commit_callbacks) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        plain.delay(1)
    assert waiting() == []
    assert OutboxMessage.objects.count() == 1


def test_jobs_run_in_order_and_so_do_the_jobs_that_they_enqueue(run_jobs, waiting, accounts) -> None:
    plain.delay("first")
    pay.delay(2, 5)
    chain(plain.si("second"), plain.si("third")).delay()
    results = [result.get() for result in run_jobs()]
    assert results == ["first", 2, "second", 2, "third"]  # in rounds
    assert accounts() == {"bank": -5, "shop": 5}
    assert OutboxMessage.objects.count() == 0
    assert waiting() == []


def test_a_retry_is_run_too(run_jobs, waiting, accounts) -> None:
    pay_later.delay(3)
    (result,) = run_jobs()
    assert result.get() == "paid"
    assert accounts() == {"bank": -3, "shop": 3}


def test_what_a_job_raises_its_result_raises(run_jobs, waiting) -> None:
    pay.delay(1, 5)  # there are no accounts
    (result,) = run_jobs()
    assert result.state == "FAILURE"
    with pytest.raises(get_user_model().DoesNotExist):
        result.get()
