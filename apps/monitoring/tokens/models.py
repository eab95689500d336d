"""Tokens, without their secrets."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from .scopes import Scope


class MonitoringToken(models.Model):
    """Who may read what without a session. Of the secret only its SHA-256 is kept, so nobody can be told it again."""

    name = models.CharField(max_length=100)
    scopes = ArrayField(models.CharField(max_length=7, choices=Scope))
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the secret, in hex
    made_at = models.DateTimeField()  # the secret; the row may be older
    expires_at = models.DateTimeField(null=True)  # null: never
    # The secret before the last rotation, while it is still accepted.
    former_digest = models.CharField(max_length=64, blank=True, default="")
    former_until = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)  # to the minute
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name", "id"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["name"], condition=Q(revoked_at=None), name="monitoring_token_name"),
            models.UniqueConstraint(
                fields=["former_digest"], condition=~Q(former_digest=""), name="monitoring_token_former_digest"
            ),
            models.CheckConstraint(condition=~Q(scopes=[]), name="monitoring_token_opens_something"),
            models.CheckConstraint(
                condition=Q(former_digest="", former_until=None)
                | ~Q(former_digest="") & Q(former_until__isnull=False),
                name="monitoring_token_former",
            ),
        ]

    def __str__(self) -> str:
        return self.name
