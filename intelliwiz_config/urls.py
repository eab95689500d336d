"""Every address of the site."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from apps.monitoring.prometheus import view as prometheus

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    path("metrics", prometheus.metrics, name="metrics"),
    path("reports/", include("apps.reports.urls")),
]

# Development only, and by name: the local stack stands above this package and may be absent elsewhere.
if getattr(settings, "CAUGHT_MAIL_DIR", None):
    urlpatterns.append(path("mail/", include("deploy.local.mail_pages")))
