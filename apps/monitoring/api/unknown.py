"""Addresses of the API that do not exist: the admin would send who asks for them to its login page."""

from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from .access import read_only
from .answers import error

ADDRESSES: Final = ("api_metrics", "api_health", "api_schema")


@read_only
def unknown(request: HttpRequest, rest: str) -> HttpResponseBase:
    allowed = [reverse(f"admin:monitoring_celery_{name}") for name in ADDRESSES]
    return error(404, "not_found", "There is no such address.", allowed=allowed)
