"""Demonstration tenants, and the people and assets of their sites."""

from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Final

from django.contrib.auth.models import Permission, User

from apps.organization.models import Asset, Group, Holiday, Person, Site, Tenant

COMPANIES: Final = ("Sentinel Guarding", "Harbour Facilities", "Northline Security", "Cedar Property Care")
# The first has a half-hour offset; three have daylight saving time, one of them south of the equator.
ZONES: Final = (
    ("Asia/Kolkata", "Pune"),
    ("America/New_York", "Newark"),
    ("Europe/London", "Croydon"),
    ("Asia/Singapore", "Jurong"),
    ("Australia/Sydney", "Parramatta"),
    ("America/Sao_Paulo", "Osasco"),
)
PREMISES: Final = ("Tower", "Depot", "Campus", "Warehouse", "Clinic", "Mall")
GIVEN_NAMES: Final = (
    "Asha",
    "Bilal",
    "Chen",
    "Dana",
    "Elif",
    "Femi",
    "Grace",
    "Hugo",
    "Ines",
    "Jonas",
    "Kavya",
    "Liam",
)
FAMILY_NAMES: Final = ("Abara", "Bose", "Costa", "Diaz", "Evans", "Fischer", "Gupta", "Haddad", "Iyer", "Jensen")
EQUIPMENT: Final = (("FP", "Fire panel"), ("GEN", "Generator"), ("CCTV", "Camera system"), ("HVAC", "Air handler"))
HOLIDAYS: Final = (("New Year's Day", 1, 1), ("Labour Day", 5, 1), ("Christmas Day", 12, 25))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A site and who and what is there."""

    site: Site
    position: int  # among the tenant's sites
    guards: list[Person]
    team: Group
    assets: list[Asset]  # in the order of EQUIPMENT


def make_tenant(number: int, chance: Random) -> tuple[Tenant, Group]:
    """A tenant with its holidays, its two admins, and the group that they form."""
    name = COMPANIES[number % len(COMPANIES)] + (f" {number}" if number >= len(COMPANIES) else "")
    slug = name.lower().replace(" ", "-")
    tenant = Tenant.objects.create(slug=slug, name=name)
    Holiday.objects.bulk_create(
        Holiday(tenant=tenant, name=holiday, date=date(2000, month, day), recurring=True)
        for holiday, month, day in HOLIDAYS
    )
    admins = Person.objects.bulk_create(
        Person(
            tenant=tenant,
            name=_name(chance),
            email=f"admin{which}@{slug}.example.com",
            is_tenant_admin=True,
            user=_login(f"{slug}-admin{which}"),
        )
        for which in (1, 2)
    )
    office = Group.objects.create(tenant=tenant, name="Head office")
    office.members.set(admins)
    return tenant, office


def make_place(tenant: Tenant, position: int, chance: Random) -> Place:
    """The site at `position` of a tenant; positions go round the time zones."""
    zone, town = ZONES[position % len(ZONES)]
    domain = f"{tenant.slug}.example.com"
    code = f"S{position + 1:04}"
    site = Site.objects.create(
        tenant=tenant,
        code=code,
        name=f"{town} {chance.choice(PREMISES)} {position + 1}",
        timezone=zone,
        in_charge=[f"{code.lower()}@{domain}"],
    )
    guards = Person.objects.bulk_create(
        Person(tenant=tenant, name=_name(chance), email=f"{code.lower()}-guard{which}@{domain}")
        for which in (1, 2, 3)
    )
    team = Group.objects.create(tenant=tenant, name=f"{code} team")
    team.members.set(guards)
    assets = Asset.objects.bulk_create(
        Asset(site=site, code=f"{code}-{short}", name=name, status=_condition(chance)) for short, name in EQUIPMENT
    )
    return Place(site=site, position=position, guards=guards, team=team, assets=assets)


def _login(username: str) -> User:
    """A login that sees its own tenant in the admin, once somebody has given it a password."""
    user = User.objects.create_user(username, is_staff=True)
    apps = ("organization", "operations", "helpdesk", "media", "reports")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=apps))
    return user


def _name(chance: Random) -> str:
    return f"{chance.choice(GIVEN_NAMES)} {chance.choice(FAMILY_NAMES)}"


def _condition(chance: Random) -> str:
    return chance.choices(Asset.Status.values, weights=(88, 6, 5, 1))[0]
