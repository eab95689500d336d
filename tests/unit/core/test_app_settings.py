"""Where a setting of Celery's comes from: the project, else the engine, else Celery."""

from typing import Any

import pytest

from apps.core.app import JobsApp


class Settings:
    CELERY_TASK_DEFAULT_QUEUE = "email"
    CELERY_TASK_ACKS_LATE = False
    CELERY_BROKER_TRANSPORT_OPTIONS = {"master_name": "jobs"}


@pytest.fixture
def app() -> Any:
    made: Any = JobsApp("settings", set_as_current=False)
    made.config_from_object(Settings, namespace="CELERY")
    return made


def test_the_projects_own_settings_go_before_the_engines(app: Any) -> None:
    assert app.conf.task_default_queue == "email"
    assert app.conf.task_acks_late is False  # which the check bgjobs.E004 then refuses


def test_the_engines_settings_go_before_celerys(app: Any) -> None:
    assert app.conf.task_reject_on_worker_lost is True
    assert app.conf.broker_connection_max_retries is None
    assert app.conf.worker_consumer.endswith("LeasedConsumer")


def test_transport_options_of_both_hold_together(app: Any) -> None:
    assert app.conf.broker_transport_options == {"queue_order_strategy": "priority", "master_name": "jobs"}
