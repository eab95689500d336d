"""What gives the pages their place in the admin: an address, a line in the sidebar, a permission. No table."""

from django.db import models

from .tokens.models import MonitoringToken

__all__ = ["Celery", "MonitoringToken"]


class Celery(models.Model):
    class Meta:
        managed = False
        default_permissions = ("view",)
        verbose_name = "background job"
        verbose_name_plural = "Background jobs"

    def __str__(self) -> str:
        return "Background jobs"
