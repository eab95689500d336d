from django.apps import AppConfig
from django.core.checks import register


class MediaConfig(AppConfig):
    name = "apps.media"
    label = "media"

    def ready(self) -> None:
        from .checks import check_media_archive

        register(check_media_archive)
