"""`GET api/metrics/`: how everything stands. 200 also when it stands badly."""

from datetime import UTC, datetime

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..tokens.scopes import Scope
from .access import open_to
from .answers import answer, error
from .asked import Asked, BadRequestError
from .content import content
from .sameness import comparable


@open_to(Scope.API)
def metrics(request: HttpRequest) -> HttpResponseBase:
    try:
        asked = Asked.of(request.GET)
    except BadRequestError as bad:
        return error(400, bad.code, str(bad), allowed=bad.allowed)
    facts = content(asked, now=datetime.now(UTC))
    return answer(request, facts, same_as=comparable(facts))
