"""The groups that come with the app. What an administrator adds to them stays."""

from collections.abc import Iterable
from typing import Any, Final

from django.apps import AppConfig
from django.apps import apps as installed
from django.apps.registry import Apps
from django.contrib.auth.management import create_permissions
from django.db.models import Q

from apps.core.actions.catalogue import PERMISSIONS

VIEWER: Final = "Jobs viewer"
OPERATOR: Final = "Jobs operator"
ADMIN: Final = "Jobs admin"

# What only "Jobs admin" may do: it destroys, ends processes, shows people's data, or is done once in years.
OF_ADMINS: Final = frozenset({"purge_queue", "control_worker", "view_task_args", "move_messages"})


def ship(sender: AppConfig, *, apps: Apps = installed, using: str, verbosity: int = 1, **_: Any) -> None:
    """After each migrate: the three groups have at least their permissions."""
    try:
        group_model, permission_model = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    except LookupError:
        return
    for label in ("bgjobs", sender.label):  # Django makes them for one app after the other, and not yet for this one
        create_permissions(installed.get_app_config(label), verbosity=0, using=using, apps=apps)
    known = permission_model._default_manager.using(using)  # noqa: SLF001 - Django's documented way
    found = known.filter(Q(content_type__app_label="bgjobs") | Q(codename="view_celery"))
    permissions = {one.codename: one for one in found}
    for name, codenames in codenames_of(permissions).items():
        group, _is_new = group_model._default_manager.using(using).get_or_create(name=name)  # noqa: SLF001
        group.permissions.add(*(permissions[codename] for codename in sorted(codenames)))


def codenames_of(existing: Iterable[str]) -> dict[str, set[str]]:
    """Group -> what it may, of the permissions that exist."""
    acting = {codename for codename in existing if codename in PERMISSIONS}
    looking = {codename for codename in existing if codename.startswith("view_")} - acting
    return {VIEWER: looking, OPERATOR: looking | (acting - OF_ADMINS), ADMIN: looking | acting}
