"""What a browser may do on the app's pages: run and load files of this site, and nothing else."""

from typing import Final

from django.http.response import HttpResponseBase
from django.utils.cache import add_never_cache_headers

POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "font-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow",
}


def guarded(response: HttpResponseBase) -> HttpResponseBase:
    """The response, with what keeps a page of operators private and its data harmless."""
    for name, value in HEADERS.items():
        response.headers[name] = value
    add_never_cache_headers(response)
    return response
