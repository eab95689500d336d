#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as StoreError

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intelliwiz_config.settings.development")
    try:
        execute_from_command_line(sys.argv)
    except (OperationalError, BrokerError, StoreError):
        from django.conf import settings

        from intelliwiz_config.local_services import require

        require(settings.STATE_DIR)  # ends with one line where the embedded servers are what is missing
        raise
