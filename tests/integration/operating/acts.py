"""Who acts in these tests, and what the audit says of it."""

from io import StringIO
from typing import Any

from django.contrib.auth.models import Permission, User
from django.core.management import call_command

from apps.core.actions import Actor
from apps.core.models import OperatorAction

QUEUE = "high_priority"
ANN: dict[str, Any] = {"actor": Actor(name="ann"), "reason": "the bank is down"}


def audit() -> OperatorAction:
    return OperatorAction.objects.get()


def user_with(*codenames: str) -> User:
    user = User.objects.create_user("olga")
    found = Permission.objects.filter(content_type__app_label="bgjobs", codename__in=codenames)
    assert len(found) == len(codenames)
    user.user_permissions.set(found)
    return user


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("jobs", *arguments, stdout=out)
    return out.getvalue().strip()
