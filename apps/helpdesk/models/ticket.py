from datetime import timedelta

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from apps.helpdesk.transitions import WAITING, Status
from apps.organization.models import Asset, Group, Person, Site, Tenant

from .priority import Priority
from .same_tenant import require_same_tenant


class Ticket(models.Model):
    """Something at a site that must be handled within an agreed time."""

    Status = Status
    Priority = Priority

    class Source(models.TextChoices):
        USER = "USER"
        SYSTEM = "SYSTEM"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="tickets")
    number = models.CharField(max_length=20, editable=False)
    description = models.TextField()
    status = models.CharField(max_length=9, choices=Status, default=Status.NEW, editable=False)
    priority = models.CharField(max_length=8, choices=Priority, default=Priority.MEDIUM)
    category = models.CharField(max_length=50)
    site = models.ForeignKey(Site, on_delete=models.RESTRICT, related_name="tickets")
    asset = models.ForeignKey(Asset, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets")
    source = models.CharField(max_length=6, choices=Source, default=Source.USER, editable=False)
    creator = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets_raised"
    )
    assignee_person = models.ForeignKey(
        Person, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets"
    )
    assignee_group = models.ForeignKey(
        Group, on_delete=models.SET_NULL, null=True, blank=True, related_name="tickets"
    )
    created_at = models.DateTimeField(editable=False)

    level = models.PositiveSmallIntegerField(default=0, editable=False)
    cycle = models.PositiveSmallIntegerField(default=1, editable=False)  # reopening starts the next one
    cycle_started_at = models.DateTimeField(editable=False)
    last_escalated_at = models.DateTimeField(null=True, editable=False)  # in this cycle
    on_hold_since = models.DateTimeField(null=True, editable=False)
    # Real time on hold since the time to the next level counts, of holds that have ended; their periods, of which
    # business hours may take less away, are in the history.
    held_for = models.DurationField(default=timedelta, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "number"], name="ticket_number_per_tenant"),
            models.CheckConstraint(
                condition=Q(assignee_person__isnull=True) | Q(assignee_group__isnull=True),
                name="ticket_has_person_or_group",
                violation_error_message="Assign a person or a group, not both.",
            ),
            models.CheckConstraint(
                condition=Q(status=Status.ON_HOLD, on_hold_since__isnull=False)
                | (~Q(status=Status.ON_HOLD) & Q(on_hold_since__isnull=True)),
                name="ticket_on_hold_since_when",
            ),
        ]
        indexes = [
            # The sweep walks the waiting tickets by id.
            models.Index(fields=["id"], condition=Q(status__in=WAITING), name="ticket_waiting"),
        ]

    def __str__(self) -> str:
        return self.number

    def clean(self) -> None:
        require_same_tenant(
            self.tenant_id,
            site=getattr(self, "site", None),
            creator=self.creator,
            assignee_person=self.assignee_person,
            assignee_group=self.assignee_group,
        )
        if self.asset is not None and self.asset.site_id != self.site_id:
            raise ValidationError({"asset": "This asset is at another site."})


class TicketCounter(models.Model):
    """The last number given to a ticket of a tenant."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.tenant}: {self.last}"
