"""The admin of media files: a list to look at, and each file to download. Nothing is changed by hand."""

from pathlib import PurePosixPath
from typing import Any, Final

from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.defaultfilters import filesizeformat
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from apps.organization.tenant_admin import TenantAdmin

from .models import MediaFile
from .services import ArchiveDownError, MediaRootError, MediaTroubleError, open_media

# Whatever it is, no browser runs or shows it as a page of this site.
AS_A_FILE: Final = {"Content-Security-Policy": "sandbox; default-src 'none'", "X-Content-Type-Options": "nosniff"}


@admin.register(MediaFile)
class MediaFileAdmin(TenantAdmin):
    list_display = ("path", "tenant", "taken_at", "bytes", "location", "moved_at", "trouble", "download")
    list_filter = ("location", "trouble", "tenant")
    list_select_related = ("tenant",)
    search_fields = ("path",)
    date_hierarchy = "taken_at"
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="size", ordering="size")
    def bytes(self, media: MediaFile) -> str:
        return filesizeformat(media.size)

    @admin.display(description="file")
    def download(self, media: MediaFile) -> SafeString:
        return format_html('<a href="{}">Download</a>', reverse("admin:media_mediafile_download", args=[media.pk]))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_safe(self.download_view))
        return [path("<int:media_id>/download/", view, name="media_mediafile_download"), *super().get_urls()]

    def download_view(self, request: HttpRequest, media_id: int) -> HttpResponseBase:
        """The file's content, for those who may see its row."""
        media = self.get_queryset(request).filter(pk=media_id).first()
        if media is None or not self.has_view_permission(request, media):
            raise Http404("There is no such media file.")
        try:
            content = open_media(media)
        except MediaTroubleError as error:
            raise Http404(str(error)) from None
        except (ArchiveDownError, MediaRootError):
            return HttpResponse("The file cannot be read at the moment.", status=503, content_type="text/plain")
        return FileResponse(
            content,
            as_attachment=True,
            filename=_harmless(PurePosixPath(media.path).name),
            content_type="application/octet-stream",
            headers=AS_A_FILE,
        )


def _harmless(name: str) -> str:
    """The name without control characters and those that change the reading direction."""
    return "".join(character if character.isprintable() else "_" for character in name)
