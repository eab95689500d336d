"""What holds everywhere. Values that differ between installations come from the environment."""

from pathlib import Path
from typing import Any

import environ

from apps.core import logs
from apps.media.archive_options import folder_archive, s3_archive
from apps.monitoring.networks import networks
from intelliwiz_config.pools import POOLS

BASE_DIR = Path(__file__).resolve().parents[2]
env = environ.Env()

# Where this installation keeps what it writes: embedded servers, caught mails.
STATE_DIR = Path(env.str("STATE_DIR", default=str(BASE_DIR / "var"))).absolute()

DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "apps.core",
    "apps.organization",
    "apps.operations",
    "apps.helpdesk",
    "apps.media",
    "apps.reports",
    "apps.monitoring",
    "intelliwiz_config",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.monitoring.middleware.without_database",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "apps.organization.middleware.job_context",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "intelliwiz_config.urls"
WSGI_APPLICATION = "intelliwiz_config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    # What is shown of the jobs while a server is down: shared by the web processes of a machine, and needs no server.
    "last_known": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": str(STATE_DIR / "last-known"),  # only for its owner; made when something is first kept
        "TIMEOUT": 7 * 24 * 3600,
    },
}
STATIC_URL = "static/"
STATIC_ROOT = STATE_DIR / "static"

LANGUAGE_CODE = "en-us"
USE_TZ = True
TIME_ZONE = "UTC"

DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="IntelliWiz <no-reply@intelliwiz.example>")
EMAIL_TIMEOUT = 20

LOGGING: dict[str, Any] = logs.logging_config(level=env.str("LOG_LEVEL", default="INFO"))

CELERY_TIMEZONE = "UTC"
# Celery's own events, for Flower and `make demo`; they cost about a third of the throughput.
CELERY_WORKER_SEND_TASK_EVENTS = CELERY_TASK_SEND_SENT_EVENT = env.bool("TASK_EVENTS", default=False)
CELERY_RESULT_EXPIRES = 24 * 3600
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, Any] = env.json("BROKER_OPTIONS", default={})

BGJOBS: dict[str, Any] = {
    "pools": POOLS,
    "zones": "apps.organization.zones.zones_of_sites",
    "dashboard": "/admin/monitoring/celery/",
}

# From where /metrics is read without a token, by the address of the connection itself (docs/monitoring.md).
METRICS_ALLOWED_NETWORKS = networks(env.list("METRICS_ALLOWED_NETWORKS", default=[]))

# Where reports are kept; all machines that make, mail or show reports need the same folder.
REPORTS_ROOT = Path(env.str("REPORTS_DIR", default=str(STATE_DIR / "reports"))).absolute()
REPORTS_KEPT_DAYS = env.float("REPORTS_KEPT_DAYS", default=90)  # since they were made

# Where people reach this site: what links in mails begin with.
PUBLIC_URL = env.str("PUBLIC_URL", default=f"http://localhost:{env.str('PORT', default='8000')}")

# What people collect on site, a folder for each tenant; all machines that take, move or show it need the same one.
MEDIA_FILES_ROOT = Path(env.str("MEDIA_FILES_DIR", default=str(STATE_DIR / "media"))).absolute()
MEDIA_KEPT_LOCAL_DAYS = env.int("MEDIA_KEPT_LOCAL_DAYS", default=60)  # then a file is moved into the archive:
MEDIA_S3_BUCKET = env.str("MEDIA_S3_BUCKET", default="")  # a bucket, or else a folder
MEDIA_S3_ENDPOINT_URL = env.str("MEDIA_S3_ENDPOINT_URL", default="")
MEDIA_ARCHIVE_DIR = Path(env.str("MEDIA_ARCHIVE_DIR", default=str(STATE_DIR / "media-archive"))).absolute()
STORAGES: dict[str, Any] = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "media_archive": s3_archive(
        bucket_name=MEDIA_S3_BUCKET,
        endpoint_url=MEDIA_S3_ENDPOINT_URL,
        region_name=env.str("MEDIA_S3_REGION", default=""),
        addressing_style=env.str("MEDIA_S3_ADDRESSING_STYLE", default=""),
        access_key=env.str("MEDIA_S3_ACCESS_KEY", default=""),
        secret_key=env.str("MEDIA_S3_SECRET_KEY", default=""),
        create_only=env.bool("MEDIA_S3_CREATE_ONLY", default=True),
    )
    if MEDIA_S3_BUCKET
    else folder_archive(MEDIA_ARCHIVE_DIR),
}

# Operations asks for a ticket without knowing who keeps tickets; this is who does.
OPERATIONS_TICKET_RAISER = "apps.helpdesk.services.raise_system_ticket"


def database_settings(url: dict[str, Any]) -> dict[str, Any]:
    """What `environ` reads from a URL of PostgreSQL; a host that does not answer is waited for 5 seconds, no minutes.

    The URL may say otherwise: ?connect_timeout=2
    """
    return url | {"OPTIONS": {"connect_timeout": 5} | url.get("OPTIONS", {})}


def email_settings(url: dict[str, Any]) -> dict[str, Any]:
    """Django's EMAIL_* settings out of what `environ` reads from an SMTP URL."""
    names = (
        "EMAIL_HOST",
        "EMAIL_PORT",
        "EMAIL_HOST_USER",
        "EMAIL_HOST_PASSWORD",
        "EMAIL_USE_TLS",
        "EMAIL_USE_SSL",
    )
    return {name: url[name] for name in names if url.get(name) is not None}
