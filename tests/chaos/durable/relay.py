"""The process of a relay: `manage.py jobs relay`, with this run's observers."""

import django
from django.core.management import call_command

if __name__ == "__main__":
    django.setup()
    from . import application  # noqa: F401 - its observers are what this is for

    call_command("jobs", "relay")
