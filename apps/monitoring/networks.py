"""Networks from which /metrics is read without a token."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from django.core.exceptions import ImproperlyConfigured

Network = IPv4Network | IPv6Network


def networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """As in 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7. Raises ImproperlyConfigured for what is no network."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text.strip()))
        except ValueError as error:
            raise ImproperlyConfigured(f"METRICS_ALLOWED_NETWORKS: {error}.") from None
    return tuple(found)


def is_within(address: str, allowed: Iterable[Network]) -> bool:
    """Whether the address lies in one of the networks. What is no address lies in none."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in allowed)
