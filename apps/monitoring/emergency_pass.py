"""A pass for the time in which PostgreSQL is down: then Django can read neither sessions nor users.

Who may look gets it with each page, as a signed cookie. It opens the pages that need no database, to read, only while
the database does not answer, and only together with the session's own cookie, which a logout takes away.
"""

from dataclasses import dataclass
from typing import Any, Final, Self

from django.conf import settings
from django.core import signing
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

COOKIE: Final = "bgjobs_emergency_pass"
LASTS: Final = 12 * 3600  # seconds since the last visit
SALT: Final = "apps.monitoring.emergency_pass"


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyPass:
    """Proof that this browser's visitor was allowed to look when last the database could be asked."""

    user_id: str
    session: str  # a digest of the session's key

    @classmethod
    def of(cls, request: HttpRequest) -> Self:
        return cls(user_id=str(request.user.pk), session=_digest(request.session.session_key or ""))

    @classmethod
    def shown_by(cls, request: HttpRequest) -> Self | None:
        """The pass that the request shows, where it is genuine, fresh, and of the session that it shows too."""
        session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        try:
            user_id, session = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=LASTS)
        except (signing.BadSignature, ValueError, TypeError):
            return None
        if not session_key or not constant_time_compare(str(session), _digest(session_key)):
            return None
        return cls(user_id=str(user_id), session=str(session))

    def give(self, response: HttpResponseBase) -> None:
        response.set_cookie(
            COOKIE,
            signing.dumps([self.user_id, self.session], salt=SALT),
            max_age=LASTS,
            path=_path(),
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Strict",
        )


def note_logout(sender: Any, request: HttpRequest | None = None, **_: Any) -> None:
    """The middleware takes the pass away with the answer to this request."""
    if request is not None:
        request.bgjobs_logged_out = True  # type: ignore[attr-defined] # the middleware's own mark


def take_away(response: HttpResponseBase) -> None:
    response.delete_cookie(COOKIE, path=_path(), samesite="Strict")


def _digest(session_key: str) -> str:
    return salted_hmac(SALT, session_key, algorithm="sha256").hexdigest()


def _path() -> str:
    return reverse("admin:monitoring_celery_changelist")
