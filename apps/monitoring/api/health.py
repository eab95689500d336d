"""`GET api/health/`: whether the jobs are well enough, for load balancers and uptime probes."""

from datetime import UTC, datetime
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..looking import look
from ..tokens.scopes import Scope
from .access import open_to
from .answers import answer

STATUS: Final = {"ok": 200, "degraded": 200, "critical": 503, "unknown": 503}


@open_to(Scope.HEALTH)
def health(request: HttpRequest) -> HttpResponseBase:
    found = look(now=datetime.now(UTC)).verdict
    codes = list(dict.fromkeys(problem.code for problem in found.problems))
    body = {"status": found.status, "sentence": found.sentence, "problems": codes}
    response = answer(request, body, status=STATUS[found.status])
    # Else Django would log each probe's 503 as an error of this site, and mail it to the administrators.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - Django asks for it, and has no other way
    return response
