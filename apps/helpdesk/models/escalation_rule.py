from datetime import timedelta

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Case, F, Q, Value, When

from apps.organization.models import Group, Person, Site, Tenant

from .same_tenant import require_same_tenant


class EscalationRule(models.Model):
    """After how long a ticket reaches a level, who gets it then, and who else is told."""

    class Unit(models.TextChoices):
        MINUTE = "MINUTE"
        HOUR = "HOUR"
        DAY = "DAY"
        WEEK = "WEEK"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="escalation_rules")
    site = models.ForeignKey(
        Site,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="escalation_rules",
        help_text="Empty: all sites that have no rule of their own for this category and level.",
    )
    category = models.CharField(max_length=50)
    level = models.PositiveSmallIntegerField(help_text="The level that the ticket reaches, from 1.")
    value = models.PositiveSmallIntegerField(
        validators=[MaxValueValidator(999)], help_text="How many of the unit; 0 switches this level off."
    )
    unit = models.CharField(
        max_length=6,
        choices=Unit,
        default=Unit.HOUR,
        help_text="A day is 24 hours and a week 168 hours of time that counts.",
    )
    after = models.GeneratedField(
        expression=F("value")
        * Case(
            When(unit=Unit.MINUTE, then=Value(timedelta(minutes=1))),
            When(unit=Unit.HOUR, then=Value(timedelta(hours=1))),
            When(unit=Unit.DAY, then=Value(timedelta(hours=24))),
            When(unit=Unit.WEEK, then=Value(timedelta(hours=168))),
        ),
        output_field=models.DurationField(),
        db_persist=True,
    )
    assign_person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    assign_group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    extra_emails = ArrayField(
        models.EmailField(), default=list, blank=True, help_text="E-mail addresses, separated by commas."
    )

    class Meta:
        ordering = ["tenant", "category", "level", "site"]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "category", "level", "site"], name="one_rule_per_level", nulls_distinct=False
            ),
            models.CheckConstraint(condition=Q(level__gte=1), name="rule_level_from_1"),
            models.CheckConstraint(
                condition=Q(assign_person__isnull=True) | Q(assign_group__isnull=True),
                name="rule_assigns_person_or_group",
                violation_error_message="Name a person or a group, not both.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} level {self.level}: {self.value} {self.get_unit_display()}"

    def clean(self) -> None:
        require_same_tenant(
            self.tenant_id, site=self.site, assign_person=self.assign_person, assign_group=self.assign_group
        )
