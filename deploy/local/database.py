"""The database of a first start: its tables, the demonstration company and somebody who may sign in.

Done in this process: each Django process of its own would cost a second.
"""

from pathlib import Path

from .errors import LocalError
from .output import Terminal
from .state import kept_secret

ADMIN = "admin"


def make_ready(state_dir: Path, terminal: Terminal) -> str:
    """Migrates and seeds where needed. Returns the login for people to read. Expects the project's environment."""
    import django
    from django.core.management import CommandError
    from django.db import connections

    django.setup()
    try:
        _migrate(terminal)
        _seed(terminal)
        return _login(state_dir)
    except CommandError as error:
        raise LocalError(f"The database cannot be made ready: {error}") from error
    finally:
        connections.close_all()


def _migrate(terminal: Terminal) -> None:
    from django.core.management import call_command
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        terminal.say("Making the tables …")
        call_command("migrate", interactive=False, verbosity=0)


def _seed(terminal: Terminal) -> None:
    from django.core.management import call_command

    from apps.organization.models import Tenant

    if not Tenant.objects.exists():
        terminal.say("Making the demonstration company …")
        call_command("seed_demo", tenants=3, scale=1)


def _login(state_dir: Path) -> str:
    from django.contrib.auth import get_user_model

    users = get_user_model()
    password_file = state_dir / "admin_password"
    if not users.objects.filter(is_superuser=True).exists():
        password_file.unlink(missing_ok=True)
        users.objects.create_superuser(ADMIN, password=kept_secret(password_file))
    if password_file.exists():
        return f"{ADMIN} / {kept_secret(password_file)}"
    return "your own (this database has an administrator already)"
