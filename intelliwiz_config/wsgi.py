"""The WSGI application that a production web server loads."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intelliwiz_config.settings.production")

application = get_wsgi_application()
