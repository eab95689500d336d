"""`manage.py monitoring_token`: tokens for probes and scrapers. A secret is printed once, alone on stdout."""

import json
from argparse import ArgumentParser
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.core.commands.output import moment, show, table
from apps.core.durations import seconds_in
from apps.monitoring.tokens import issuing
from apps.monitoring.tokens.models import MonitoringToken
from apps.monitoring.tokens.scopes import Scope


class Command(BaseCommand):
    help = "Make, list, rotate and revoke the tokens by which probes and scrapers read /metrics and the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        made = actions.add_parser("create", help="Make a token and print its secret, once.")
        made.add_argument("name")
        scopes = "; ".join(f"{scope.value}: {scope.label}" for scope in Scope)
        made.add_argument("--scope", action="append", default=[], help=f"What it opens, again for more. {scopes}.")
        made.add_argument("--days", type=int, help="For how many days it is accepted (default: until revoked).")
        listed = actions.add_parser("list", help="Show all tokens, without their secrets.")
        listed.add_argument("--format", choices=("text", "json"), default="text")
        rotated = actions.add_parser("rotate", help="Give a token a new secret and print that, once.")
        rotated.add_argument("name")
        rotated.add_argument(
            "--grace", type=seconds_in, default=0.0, help="For how long the old secret is accepted, too: 30m, 1h, 2d."
        )
        revoked = actions.add_parser("revoke", help="Accept a token's secrets no more.")
        revoked.add_argument("name")

    def handle(self, *, action: str, **options: Any) -> None:
        now = datetime.now(UTC)
        try:
            match action:
                case "create":
                    made = issuing.create(options["name"], scopes=options["scope"], days=options["days"], now=now)
                    self._tell(*made)
                case "rotate":
                    grace = timedelta(seconds=options["grace"])
                    self._tell(*issuing.rotate(options["name"], grace=grace, now=now))
                case "revoke":
                    issuing.revoke(options["name"], now=now)
                    self.stderr.write(f"{options['name']} is revoked.")
                case _:
                    self._list(options["format"], now)
        except issuing.TokenError as error:
            raise CommandError(str(error)) from None

    def _tell(self, token: MonitoringToken, secret: str) -> None:
        """The secret alone on stdout, so that a shell can catch it; the rest on stderr."""
        self.stdout.write(secret)
        until = "until it is revoked" if token.expires_at is None else f"until {_moment(token.expires_at)}"
        self.stderr.write(f"{token.name} opens {', '.join(token.scopes)} {until}. Its secret is not shown again.")
        if token.former_until is not None:
            self.stderr.write(f"The secret before is accepted until {_moment(token.former_until)}.")

    def _list(self, form: str, now: datetime) -> None:
        tokens = MonitoringToken.objects.order_by("name", "id")
        if form == "json":
            self.stdout.write(json.dumps([_facts(token, now) for token in tokens], indent=2))
            return
        rows = [tuple(_cell(value) for value in _facts(token, now).values()) for token in tokens]
        headings = ("name", "state", "scopes", "made", "expires", "old secret until", "last used", "revoked")
        show(self, table(self, headings, rows, numbers=0) if rows else "There is no token.")


def _facts(token: MonitoringToken, now: datetime) -> dict[str, Any]:
    is_over = token.expires_at is not None and token.expires_at <= now
    return {
        "name": token.name,
        "state": "revoked" if token.revoked_at is not None else "expired" if is_over else "accepted",
        "scopes": token.scopes,
        "made_at": _moment(token.made_at),
        "expires_at": _moment(token.expires_at),
        "former_until": _moment(token.former_until),
        "last_used_at": _moment(token.last_used_at),
        "revoked_at": _moment(token.revoked_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else moment(at.timestamp())


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else value or "-"
