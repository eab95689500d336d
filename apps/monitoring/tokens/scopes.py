"""What a token opens."""

from django.db.models import TextChoices


class Scope(TextChoices):
    METRICS = "metrics", "/metrics, for Prometheus"
    HEALTH = "health", "api/health/, for load balancers"
    API = "api", "api/metrics/ and api/schema/, for other programs"
