"""Sites, and instants as people there read them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from apps.organization.local_time import in_zone
from apps.organization.models import Site, validate_timezone


@pytest.mark.parametrize("name", ["Asia/Kolkata", "America/New_York", "UTC"])
def test_an_iana_name_is_a_time_zone(name):
    validate_timezone(name)
    assert Site(timezone=name).zone == ZoneInfo(name)


@pytest.mark.parametrize("name", ["IST", "Mars/Olympus", "", "../etc/passwd", "+05:30"])
def test_anything_else_is_refused_with_an_example(name):
    with pytest.raises(ValidationError, match="Asia/Kolkata"):
        validate_timezone(name)


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Kolkata", "Mon 23 Nov 2026 14:30 (Asia/Kolkata)"),
        ("Asia/Kathmandu", "Mon 23 Nov 2026 14:45 (Asia/Kathmandu)"),
        ("America/New_York", "Mon 23 Nov 2026 04:00 (America/New_York)"),
        ("Pacific/Kiritimati", "Mon 23 Nov 2026 23:00 (Pacific/Kiritimati)"),
    ],
)
def test_an_instant_reads_as_local_time_with_the_name_of_the_zone(zone, text):
    assert in_zone(datetime(2026, 11, 23, 9, tzinfo=UTC), ZoneInfo(zone)) == text
