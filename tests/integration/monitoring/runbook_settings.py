"""Settings of the worker that is started when newer code was deployed: it knows a task that the others do not."""

from intelliwiz_config.settings.test import *  # noqa: F403

CELERY_IMPORTS = ("tests.integration.monitoring.runbook_jobs", "tests.integration.monitoring.runbook_new_jobs")
