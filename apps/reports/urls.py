"""Where reports are fetched by a link that came in a mail."""

from django.urls import path

from . import downloads

app_name = "reports"
urlpatterns = [path("<str:token>/", downloads.by_link, name="download")]
