"""How long runs are kept."""

from datetime import timedelta
from typing import Any

import pytest
from celery import current_app
from django.utils import timezone

from apps.core import retention
from apps.core.runs.models import JobRun

from .made import a_run, written

pytestmark = pytest.mark.django_db


def test_what_ended_before_is_removed_a_portion_at_a_time(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(retention, "PORTION", 2)
    settings.BGJOBS = settings.BGJOBS | {"runs_kept_days": 1}
    now = timezone.now()
    written(*(a_run(ended_at=now - timedelta(hours=hours)) for hours in (25, 26, 27, 28, 29)))
    (kept,) = written(a_run(ended_at=now - timedelta(hours=23)))
    assert current_app.tasks["cleanup_runs"].run() == 5
    assert list(JobRun.objects.all()) == [kept]
