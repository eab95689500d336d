"""Tenants and what belongs to them. Every row hangs off one tenant, directly or by its site."""

from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models


def validate_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(f"{name!r} is not an IANA time zone; use one like Asia/Kolkata.")


class Tenant(models.Model):
    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=200)
    is_active = models.BooleanField(default=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name


class Site(models.Model):
    """A place that the company guards or maintains; its time zone is what people there read."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="sites")
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=200)
    timezone = models.CharField(max_length=64, default="UTC", validators=[validate_timezone])
    in_charge = ArrayField(
        models.EmailField(), default=list, blank=True, help_text="E-mail addresses, separated by commas."
    )

    class Meta:
        ordering = ["tenant", "code"]
        constraints = [models.UniqueConstraint(fields=["tenant", "code"], name="site_code_per_tenant")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


class Person(models.Model):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="people")
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="person"
    )
    name = models.CharField(max_length=200)
    email = models.EmailField(blank=True)
    is_active = models.BooleanField(default=True)
    is_tenant_admin = models.BooleanField(default=False, help_text="Is told what nobody at a site can be told.")

    class Meta:
        ordering = ["tenant", "name"]
        verbose_name_plural = "people"

    def __str__(self) -> str:
        return self.name


class Group(models.Model):
    """People who share work: a job or a ticket can be given to all of them."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=200)
    members = models.ManyToManyField(Person, related_name="groups", blank=True)

    class Meta:
        ordering = ["tenant", "name"]
        constraints = [models.UniqueConstraint(fields=["tenant", "name"], name="group_name_per_tenant")]

    def __str__(self) -> str:
        return self.name


class Holiday(models.Model):
    """A day without work, at one site or, without one, at all sites of the tenant."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="holidays")
    site = models.ForeignKey(Site, on_delete=models.CASCADE, null=True, blank=True, related_name="holidays")
    date = models.DateField()
    recurring = models.BooleanField(default=False, help_text="On this day every year.")
    name = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["tenant", "date"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "site", "date"], name="holiday_once", nulls_distinct=False)
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()


class Asset(models.Model):
    class Status(models.TextChoices):
        WORKING = "WORKING"
        MAINTENANCE = "MAINTENANCE"
        STANDBY = "STANDBY"
        SCRAPPED = "SCRAPPED"

    site = models.ForeignKey(Site, on_delete=models.CASCADE, related_name="assets")
    code = models.CharField(max_length=30)
    name = models.CharField(max_length=200)
    status = models.CharField(max_length=12, choices=Status, default=Status.WORKING)

    class Meta:
        ordering = ["site", "code"]
        constraints = [models.UniqueConstraint(fields=["site", "code"], name="asset_code_per_site")]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"
