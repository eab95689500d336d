from django.db import models
from django.db.models import Q

from apps.helpdesk.transitions import Action, Status
from apps.organization.models import Group, Person

from .escalation_rule import EscalationRule
from .ticket import Ticket


class TicketHistory(models.Model):
    """One thing that happened to a ticket. Rows are only ever added; the mail about each is sent once."""

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="history")
    at = models.DateTimeField()
    who = models.CharField(max_length=200, default="system")
    action = models.CharField(max_length=8, choices=Action)
    status = models.CharField(max_length=9, choices=Status)  # after the action, as are cycle and the to_ fields
    cycle = models.PositiveSmallIntegerField()
    from_level = models.PositiveSmallIntegerField()
    to_level = models.PositiveSmallIntegerField()
    from_person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    from_group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, related_name="+")
    to_person = models.ForeignKey(Person, on_delete=models.SET_NULL, null=True, related_name="+")
    to_group = models.ForeignKey(Group, on_delete=models.SET_NULL, null=True, related_name="+")
    rule = models.ForeignKey(EscalationRule, on_delete=models.SET_NULL, null=True, related_name="+")
    held_from = models.DateTimeField(null=True)  # when the hold began that ended at `at`
    mailed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["ticket", "id"]
        verbose_name_plural = "ticket history"
        constraints = [
            models.UniqueConstraint(
                fields=["ticket", "cycle", "to_level"],
                condition=Q(action=Action.ESCALATE),
                name="ticket_escalates_once_per_level",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.ticket_id} {self.action} {self.at:%Y-%m-%d %H:%M}"
