"""To whom a tenant's reports may go: addresses that the tenant itself keeps, and no others.

These are the addresses of its active people and those in charge of its sites. There is no list of allowed domains
beside them: who shall get reports is made a person of the tenant, and whoever leaves gets none from that moment on.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

from apps.core.mail import valid_addresses
from apps.organization.models import Person, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    to: tuple[str, ...]
    cc: tuple[str, ...]  # none that is in `to`
    dropped: int  # of those asked for: not the tenant's

    @property
    def all(self) -> tuple[str, ...]:
        return self.to + self.cc


def recipients(tenant_id: int, to: Iterable[str], cc: Iterable[str]) -> Recipients:
    """Those of `to` and `cc` that are the tenant's, each once, spelt as the tenant keeps them."""
    own = addresses_of(tenant_id)
    wanted_to = {_folded(address) for address in to}
    wanted_cc = {_folded(address) for address in cc} - wanted_to
    return Recipients(
        to=tuple(own[key] for key in sorted(wanted_to & own.keys())),
        cc=tuple(own[key] for key in sorted(wanted_cc & own.keys())),
        dropped=len((wanted_to | wanted_cc) - own.keys()),
    )


def foreign_positions(tenant_id: int, addresses: Sequence[str]) -> list[int]:
    """Which of `addresses`, counted from 1, are not the tenant's."""
    own = addresses_of(tenant_id)
    return [position for position, address in enumerate(addresses, start=1) if _folded(address) not in own]


def addresses_of(tenant_id: int) -> dict[str, str]:
    """The tenant's usable addresses, by their form without regard to case.

    Mail goes to the value, never to the spelling that was asked for: two different addresses may fold to one form.
    """
    people = Person.objects.filter(tenant_id=tenant_id, is_active=True).order_by("pk").values_list("email", flat=True)
    in_charge = Site.objects.filter(tenant_id=tenant_id).order_by("pk").values_list("in_charge", flat=True)
    kept = valid_addresses([*people, *chain.from_iterable(in_charge)])
    return {_folded(address): address for address in kept}


def _folded(address: str) -> str:
    return address.strip().lower()
