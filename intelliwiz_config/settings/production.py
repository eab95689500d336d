"""Production: everything comes from the environment, and a missing or unsafe value stops the start."""

import ssl
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from apps.core.redis_client import BROKER_SCHEMES

from .base import *  # noqa: F403 - settings modules extend each other by design
from .base import (
    ALLOWED_HOSTS,
    MEDIA_S3_BUCKET,
    MEDIA_S3_ENDPOINT_URL,
    STORAGES,
    database_settings,
    email_settings,
    env,
)


def required(name: str, what: str) -> str:
    """The environment's value of `name`. Raises ImproperlyConfigured, saying `what` belongs there."""
    value: str = env.str(name, default="")
    if not value:
        raise ImproperlyConfigured(f"Set {name} in the environment: {what}.")
    return value


def required_url(name: str, what: str, schemes: tuple[str, ...]) -> str:
    value = required(name, what)
    if urlsplit(value).scheme not in schemes:
        raise ImproperlyConfigured(f"{name} must start with one of {', '.join(schemes)}: {what}.")
    return value


SECRET_KEY = required("SECRET_KEY", "at least 50 random characters, kept secret")
if len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 10 or SECRET_KEY.startswith("django-insecure-"):
    raise ImproperlyConfigured("SECRET_KEY is unsafe: use at least 50 random characters.")

if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("Set ALLOWED_HOSTS to the host names of this site, without '*'.")

required_url("DATABASE_URL", "PostgreSQL, as in postgresql://user:password@host/name", ("postgresql", "postgres"))
DATABASES: dict[str, Any] = {"default": database_settings(env.db_url("DATABASE_URL"))}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

REDIS_SCHEMES = ("redis", "rediss", "redis+socket", "sentinel")
CELERY_BROKER_URL = required_url(
    "BROKER_URL", "Valkey or Redis, as in leaseds://user:password@host/0", (*BROKER_SCHEMES, *REDIS_SCHEMES)
)
CELERY_RESULT_BACKEND = required_url(
    "RESULT_URL", "Valkey or Redis, as in rediss://user:password@host/1", REDIS_SCHEMES
)

# A server that shows no valid certificate is not talked to. VALKEY_CA_FILE: a PEM file, where the CA is your own.
_tls: dict[str, Any] = {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_ca_certs": env.str("VALKEY_CA_FILE", default=None)}
if CELERY_BROKER_URL.startswith(("leaseds:", "rediss:")):
    CELERY_BROKER_USE_SSL = _tls
if CELERY_RESULT_BACKEND.startswith("rediss:"):
    CELERY_REDIS_BACKEND_USE_SSL = _tls

SMTP_SCHEMES = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
required_url("SMTP_URL", "a mail server, as in smtp+tls://user:password@host:587", SMTP_SCHEMES)
globals().update(email_settings(env.email_url("SMTP_URL")))

PUBLIC_URL = required_url("PUBLIC_URL", "where people reach this site, as in https://jobs.example.com", ("https",))

SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=365 * 24 * 3600)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
if env.bool("BEHIND_TLS_PROXY", default=False):  # only where the proxy sets or strips this header itself
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
STORAGES = STORAGES | {"staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"}}

if bool(MEDIA_S3_BUCKET) == bool(env.str("MEDIA_ARCHIVE_DIR", default="")):
    raise ImproperlyConfigured(
        "Set MEDIA_S3_BUCKET in the environment: where media are archived; or else MEDIA_ARCHIVE_DIR: a folder."
    )
if MEDIA_S3_ENDPOINT_URL and not MEDIA_S3_ENDPOINT_URL.startswith("https://"):
    raise ImproperlyConfigured("MEDIA_S3_ENDPOINT_URL must start with https://.")
