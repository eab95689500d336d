"""Demonstration media: pictures of patrols, some of them old enough for the archive."""

from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Final

from django.conf import settings

from apps.media.services import register
from apps.organization.models import Site

AGES: Final = (1, 20, 45, 70, 80, 88)  # days
SIZES: Final = (2_000, 30_000)  # bytes


def make_media(site: Site, now: datetime, chance: Random) -> None:
    """A file for each age. They stay where the database is rolled back, and are written over by the next attempt."""
    for days in AGES:
        taken_at = now - timedelta(days=days, minutes=chance.randrange(600))
        path = f"{site.code}/{taken_at:%Y-%m-%d}-patrol.jpg"
        file = Path(settings.MEDIA_FILES_ROOT) / str(site.tenant_id) / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(chance.randbytes(chance.randrange(*SIZES)))
        register(site.tenant, path, taken_at)
