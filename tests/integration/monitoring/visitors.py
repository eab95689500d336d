"""People who look at the pages."""

import uuid
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse


def visitor(group: str = "Jobs viewer") -> Client:
    """Somebody of the staff who is in this one of the groups that the app ships."""
    user = User.objects.create_user(f"somebody-{uuid.uuid4()}", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client = Client()
    client.force_login(user)
    return client


def address(page: str, *args: Any) -> str:
    return reverse(f"admin:monitoring_celery_{page}", args=args)
