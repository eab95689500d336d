"""The Celery application: `celery -A intelliwiz_config worker` and `beat` find it here."""

import os
from typing import Any

from celery.signals import beat_init, celeryd_init

from apps.core.app import JobsApp

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intelliwiz_config.settings.development")

app = JobsApp("intelliwiz_config", timetable="intelliwiz_config.schedule:ENTRIES")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@celeryd_init.connect
@beat_init.connect
def require_servers(**_: Any) -> None:
    """A worker or beat that depends on the embedded servers says so in one line when they are down."""
    from django.conf import settings

    from .local_services import require

    require(settings.STATE_DIR)
