"""Tests: real servers, started by tests/conftest.py, which sets the environment before this is read."""

from apps.core.circuit_breaker import Breaker
from intelliwiz_config.local_services import LocalServices

from .base import *  # noqa: F403 - settings modules extend each other by design
from .base import BGJOBS, env

_nowhere = LocalServices()
SECRET_KEY = "only for tests"  # noqa: S105 - signs nothing outside a test run
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
DATABASES = {"default": env.db_url("DATABASE_URL", default=_nowhere.database_url)}
CELERY_BROKER_URL = env.str("BROKER_URL", default=_nowhere.broker_url)
CELERY_RESULT_BACKEND = env.str("RESULT_URL", default=_nowhere.result_url)
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_USE_FINDERS = True  # static files straight from the packages
STATIC_ROOT = None  # type: ignore[assignment]
BGJOBS = BGJOBS | {
    "heartbeat_every": env.float("TEST_HEARTBEAT_EVERY", default=1.0),
    "dead_after": env.float("TEST_DEAD_AFTER", default=4.0),
    "breakers": {"test-service": Breaker(open_for=env.float("TEST_BREAKER_OPEN_FOR", default=300.0))},
}
