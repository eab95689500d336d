"""Files that people have collected on site."""

from django.db import models
from django.db.models import Q

from apps.organization.models import Tenant

from .trouble import Trouble


class MediaFile(models.Model):
    """One file, in the media root, in the archive, or for a moment in both."""

    class Location(models.TextChoices):
        LOCAL = "LOCAL", "On our own disks"
        CLOUD = "CLOUD", "In the archive"

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="media_files")
    path = models.CharField(max_length=1000, help_text="Below the tenant's folder, here and in the archive.")
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    taken_at = models.DateTimeField()
    location = models.CharField(max_length=5, choices=Location, default=Location.LOCAL)
    moved_at = models.DateTimeField(null=True, blank=True)
    local_removed_at = models.DateTimeField(
        null=True, blank=True, help_text="Until then there is a file on our own disks, moved or not."
    )
    trouble = models.CharField(max_length=20, choices=Trouble, blank=True, help_text="Why the last try failed.")
    trouble_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-taken_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["tenant", "path"], name="media_path_per_tenant"),
            models.CheckConstraint(name="media_sha256", condition=Q(sha256__regex="^[0-9a-f]{64}$")),
            models.CheckConstraint(
                name="media_moved",
                condition=Q(location="LOCAL", moved_at=None, local_removed_at=None)
                | Q(location="CLOUD", moved_at__isnull=False),
            ),
        ]
        indexes = [
            # What the sweep walks: files that are on our disks. What was moved leaves the index.
            models.Index(
                name="media_here",
                fields=["tenant", "id"],
                include=["taken_at", "location"],
                condition=Q(local_removed_at=None),
            ),
            models.Index(name="media_by_time", fields=["-taken_at", "id"]),
        ]

    def __str__(self) -> str:
        return f"Media file {self.pk}"
