"""`GET api/schema/`: the JSON Schema (draft 2020-12) of what api/metrics/ answers."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from ..tokens.scopes import Scope
from .access import open_to
from .answers import answer

FILE: Final = Path(__file__).with_name("schema.json")


@cache
def document() -> Any:
    return json.loads(FILE.read_text())


@open_to(Scope.API)
def schema(request: HttpRequest) -> HttpResponseBase:
    response = answer(request, document(), same_as=document())
    if response.status_code == 200:
        response.headers["Content-Type"] = "application/schema+json"
    return response
