from datetime import time

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from apps.organization.models import Tenant

from .priority import Priority


def monday_to_friday() -> list[int]:
    return [1, 2, 3, 4, 5]


class SlaPolicy(models.Model):
    """The hours in which time counts for a tenant's tickets of one priority, on the site's local clock."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="sla_policies")
    priority = models.CharField(max_length=8, choices=Priority)
    opens_at = models.TimeField(default=time(9))
    closes_at = models.TimeField(
        default=time(17),
        help_text="Not later than the opening time means on the next day; the same time means all day long.",
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(7)]),
        default=monday_to_friday,
        help_text="Days on which the hours begin: 1 is Monday, 7 is Sunday.",
    )
    skip_holidays = models.BooleanField(default=True)
    is_active = models.BooleanField(default=True, help_text="If not, all time counts.")

    class Meta:
        ordering = ["tenant", "priority"]
        verbose_name = "SLA policy"
        verbose_name_plural = "SLA policies"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "priority"], name="one_policy_per_priority"),
            models.CheckConstraint(
                condition=Q(weekdays__contained_by=[1, 2, 3, 4, 5, 6, 7], weekdays__len__gt=0),
                name="policy_weekdays",
                violation_error_message="Name at least one weekday, each from 1 (Monday) to 7 (Sunday).",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant} {self.priority}"
