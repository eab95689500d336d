"""The WSGI application that a production web server loads."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intelliwiz_config.settings.production")

application = get_wsgi_application()

# What is loaded now stays. Each full collection would look through all of it, in the middle of a request, and that
# takes longer than most requests do.
gc.collect()
gc.freeze()
