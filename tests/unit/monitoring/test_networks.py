"""Networks from which /metrics is read without a token."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.monitoring.networks import is_within, networks


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", True),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("::ffff:10.1.2.3", True),
        ("::ffff:11.1.2.3", False),
        ("", False),
        ("unix:", False),
        ("10.1.2.3, 1.1.1.1", False),
    ],
)
def test_an_address_is_within_one_of_them_or_not(address: str, expected: bool) -> None:
    assert is_within(address, networks(["10.0.0.0/8", " 192.0.2.7", "2001:db8::/32"])) is expected


def test_without_networks_nobody_is_within() -> None:
    assert not is_within("127.0.0.1", networks([]))


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "example.com", "", "10.0.0.0/33"])
def test_what_is_no_network_stops_the_start(wrong: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="METRICS_ALLOWED_NETWORKS"):
        networks([wrong])
