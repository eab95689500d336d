"""Reports on their way to a browser: by a signed link without a login, or for who is signed in to the admin."""

from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core.logs import get_logger

from .file_name import content_type, file_name
from .file_reading import UnusableFileError, open_file
from .links import LinkExpiredError, NoSuchLinkError, report_of
from .models import GeneratedReport

log = get_logger(__name__)

# A report is a tenant's own: no cache keeps it, no page that it leads to learns its address, no search engine has it.
_PRIVATE = {
    "Cache-Control": "private, no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}
# Texts in it were typed by many people. It may look like something, and do nothing.
_HARMLESS = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; sandbox"
)


@require_safe
def by_link(request: HttpRequest, token: str) -> HttpResponseBase:
    """The file of the report that a signed token opens; a plain page, 404 or 410, where there is none."""
    try:
        report = report_of(token)
        response = as_download(report)
    except LinkExpiredError:
        return _refusal(request, 410, "This link has expired.")
    except (NoSuchLinkError, UnusableFileError):
        return _refusal(request, 404, "There is no report here.")
    log.info("report.fetched_by_link", report_id=report.pk)
    return response


def as_download(report: GeneratedReport) -> FileResponse:
    """The file, to be saved and not shown. Raises UnusableFileError. Needs the schedule."""
    # Content-Disposition as RFC 6266 has it is Django's work.
    response = FileResponse(open_file(report), as_attachment=True, filename=file_name(report))
    return _guarded(response, report, f"{_HARMLESS}; frame-ancestors 'none'")


def as_preview(report: GeneratedReport) -> FileResponse:
    """The file, to be shown in a frame of our own pages. Raises UnusableFileError. Needs the schedule."""
    response = FileResponse(open_file(report), filename=file_name(report))
    response["X-Frame-Options"] = "SAMEORIGIN"
    return _guarded(response, report, f"{_HARMLESS}; frame-ancestors 'self'")


def _guarded(response: FileResponse, report: GeneratedReport, policy: str) -> FileResponse:
    kind = content_type(report)
    response["Content-Type"] = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    response["Content-Security-Policy"] = policy
    for name, value in _PRIVATE.items():
        response[name] = value
    return response


def _refusal(request: HttpRequest, status: int, text: str) -> HttpResponse:
    response = render(request, "report_links/refusal.html", {"text": text}, status=status)
    for name, value in _PRIVATE.items():
        response[name] = value
    return response
