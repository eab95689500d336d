"""Production refuses to start on a missing or unsafe value, and names it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
GOOD = {
    "DJANGO_SETTINGS_MODULE": "intelliwiz_config.settings.production",
    "SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ALLOWED_HOSTS": "jobs.example.com",
    "DATABASE_URL": "postgresql://jobs:secret@db.example.com/jobs?sslmode=verify-full",
    "BROKER_URL": "leaseds://jobs:secret@valkey.example.com/0",
    "RESULT_URL": "rediss://jobs:secret@valkey.example.com/1",
    "SMTP_URL": "smtp+tls://jobs:secret@mail.example.com:587",
    "PUBLIC_URL": "https://jobs.example.com",
    "MEDIA_S3_BUCKET": "media",
}


def manage(*arguments: str, **changes: str | None) -> "subprocess.CompletedProcess[str]":
    environment = {"PATH": os.environ["PATH"], **GOOD, **changes}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=CHECKOUT,
        env={name: value for name, value in environment.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_deployment_check_is_clean() -> None:
    checked = manage("check", "--deploy", "--fail-level=WARNING")
    assert checked.returncode == 0, checked.stderr
    assert "no issues" in checked.stdout


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_KEY",
        "ALLOWED_HOSTS",
        "DATABASE_URL",
        "BROKER_URL",
        "RESULT_URL",
        "SMTP_URL",
        "PUBLIC_URL",
        "MEDIA_S3_BUCKET",
    ],
)
def test_a_missing_value_is_named(name: str) -> None:
    refused = manage("check", **{name: None})
    assert refused.returncode != 0
    assert name in refused.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "short"),
        ("SECRET_KEY", "a" * 60),
        ("SECRET_KEY", "django-insecure-" + "abcdefghijklmnopqrstuvwxyz0123456789" * 2),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "jobs.example.com,*"),
        ("DATABASE_URL", "sqlite:///x.db"),
        ("DATABASE_URL", "mysql://jobs:secret@db.example.com/jobs"),
        ("BROKER_URL", "memory://"),
        ("RESULT_URL", "file:///tmp"),
        ("SMTP_URL", "consolemail://"),
        ("PUBLIC_URL", "http://jobs.example.com"),
        ("MEDIA_S3_ENDPOINT_URL", "http://s3.example.com"),
        ("MEDIA_ARCHIVE_DIR", "/srv/media"),
    ],
)
def test_an_unsafe_value_is_refused_by_name_and_not_quoted(name: str, value: str) -> None:
    refused = manage("check", **{name: value})
    assert refused.returncode != 0
    last = refused.stderr.splitlines()[-1]
    assert name in last
    assert "secret@" not in refused.stderr.splitlines()[-1]


def test_the_environment_reaches_celery_and_mail() -> None:
    shown = manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.conf import settings as s; from intelliwiz_config.celery import app\n"
        "print(s.DEBUG, app.conf.broker_url, app.conf.result_backend, s.EMAIL_HOST, s.EMAIL_PORT, s.EMAIL_USE_TLS,"
        " s.DATABASES['default']['OPTIONS'])",
    )
    assert shown.stdout.split(maxsplit=6) == [
        "False",
        GOOD["BROKER_URL"],
        GOOD["RESULT_URL"],
        "mail.example.com",
        "587",
        "True",
        "{'connect_timeout': 5, 'sslmode': 'verify-full'}\n",
    ], shown.stderr


def test_how_long_a_database_is_waited_for_may_be_said_in_its_url() -> None:
    shown = manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.db import connection; print(connection.get_connection_params()['connect_timeout'])",
        DATABASE_URL=f"{GOOD['DATABASE_URL']}&connect_timeout=2",
    )
    assert shown.stdout == "2\n", shown.stderr


def test_a_certificate_is_required_of_servers_reached_by_tls() -> None:
    shown = manage(
        "shell",
        "--no-imports",
        "-c",
        "from intelliwiz_config.celery import app\n"
        "print(app.connection().ssl['ssl_cert_reqs'].name, app.connection().ssl['ssl_ca_certs'])\n"
        "print(app.backend.connparams['ssl_cert_reqs'].name, app.backend.connparams['ssl_ca_certs'])",
        VALKEY_CA_FILE="/etc/ssl/valkey.pem",
    )
    assert shown.stdout.splitlines() == ["CERT_REQUIRED /etc/ssl/valkey.pem"] * 2, shown.stderr


def test_media_may_be_archived_in_a_folder_instead_of_a_bucket() -> None:
    shown = manage(
        "shell",
        "--no-imports",
        "-c",
        "from django.conf import settings; print(settings.STORAGES['media_archive']['OPTIONS']['location'])",
        MEDIA_S3_BUCKET=None,
        MEDIA_ARCHIVE_DIR="/srv/media",
    )
    assert shown.stdout == "/srv/media\n", shown.stderr
