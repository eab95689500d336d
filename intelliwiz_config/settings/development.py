"""One machine, nothing to configure: servers not named in the environment are the embedded ones."""

from pathlib import Path
from urllib.parse import urlsplit

from intelliwiz_config import local_services

from .base import *  # noqa: F403 - settings modules extend each other by design
from .base import STATE_DIR, database_settings, email_settings, env

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or local_services.secret_key(STATE_DIR)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

_local = local_services.load(STATE_DIR)
DATABASES = {"default": database_settings(env.db_url("DATABASE_URL", default=_local.database_url))}
CELERY_BROKER_URL = env.str("BROKER_URL", default=_local.broker_url)
CELERY_RESULT_BACKEND = env.str("RESULT_URL", default=_local.result_url)
globals().update(email_settings(env.email_url("SMTP_URL", default=_local.smtp_url)))

WHITENOISE_USE_FINDERS = True  # static files straight from the packages, without collectstatic
STATIC_ROOT = None  # type: ignore[assignment]

# Mails that are caught on this machine are shown at /mail/.
CAUGHT_MAIL_DIR: Path | None = None
if urlsplit(env.str("SMTP_URL", default=_local.smtp_url)).hostname == "127.0.0.1":
    CAUGHT_MAIL_DIR = STATE_DIR / "mail" / "new"
