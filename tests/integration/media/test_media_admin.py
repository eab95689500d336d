"""The admin's list of media files, and their downloads."""

from email.message import Message

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from apps.media.models import MediaFile
from apps.organization.models import Person

from .collection import NOW, Collection

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def viewer(media):
    """One of the tenant's staff who may look at media and at nothing else."""
    user = User.objects.create_user("kim", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_mediafile"))
    Person.objects.create(tenant=media.tenant, user=user, name="Kim")
    return signed_in(user)


def page(name, *args):
    return reverse(f"admin:media_mediafile_{name}", args=args)


def download(client, row):
    return client.get(page("download", row.pk))


def test_the_list_shows_the_own_tenants_files(viewer, media):
    row = media.add("mine.jpg")
    media.row("trouble.jpg", trouble="MISSING", trouble_at=NOW)
    Collection("other").add("theirs.jpg")
    shown = viewer.get(page("changelist")).content.decode()
    assert "mine.jpg" in shown
    assert "There is no such file." in shown
    assert page("download", row.pk) in shown
    assert "theirs" not in shown
    assert "Other" not in shown


def test_nothing_can_be_changed_by_hand(media):
    row = media.add()
    client = signed_in(User.objects.create_superuser("root"))
    assert client.get(page("add")).status_code == 403
    assert client.post(page("change", row.pk), {"path": "other.jpg"}).status_code == 403
    assert client.post(page("delete", row.pk), {"post": "yes"}).status_code == 403
    assert client.get(page("change", row.pk)).status_code == 200
    actions = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
    client.post(page("changelist"), actions)
    assert MediaFile.objects.get().path == "gate.jpg"


def test_a_file_is_downloaded_from_here_and_from_the_archive(s3, viewer, media):
    content = bytes(range(256)) * 5000
    row = media.add("gate.jpg", content)
    for _ in range(2):
        response = download(viewer, row)
        assert b"".join(response.streaming_content) == content
        media.move()


@pytest.mark.parametrize(
    ("path", "offered"),
    [
        ("2026/gate.jpg", "gate.jpg"),
        ("Büro 1.jpg", "Büro 1.jpg"),
        ('a"; filename="b.exe', 'a"; filename="b.exe'),
        ("\u202egpj.exe", "_gpj.exe"),
        ("page.html", "page.html"),
        ("100%25.jpg", "100%25.jpg"),
    ],
)
def test_a_download_is_a_file_of_that_name_and_nothing_that_a_browser_shows(viewer, media, path, offered):
    response = download(viewer, media.add(path))
    parsed = Message()
    parsed["Content-Disposition"] = response.headers["Content-Disposition"]
    assert (parsed.get_content_disposition(), parsed.get_filename()) == ("attachment", offered)
    assert response.headers["Content-Type"] == "application/octet-stream"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]
    assert b"".join(response.streaming_content) == b"a picture"


def test_a_name_in_the_database_that_no_upload_could_have_opens_no_header(viewer, media):
    row = media.add("gate.jpg")
    MediaFile.objects.filter(pk=row.pk).update(path="x\r\nSet-Cookie: a=b\r\n")
    assert download(viewer, row).status_code == 404


def test_another_tenants_file_is_not_found(viewer, media):
    assert download(viewer, Collection("other").add("theirs.jpg")).status_code == 404


@pytest.mark.parametrize("staff", [True, False])
def test_who_may_not_see_the_list_gets_no_file(media, staff):
    row = media.add()
    user = User.objects.create_user("sam", is_staff=staff)
    Person.objects.create(tenant=media.tenant, user=user, name="Sam")
    assert download(signed_in(user), row).status_code == (404 if staff else 302)
    assert download(Client(), row).status_code == 302


def test_a_download_is_only_looked_at(viewer, media):
    assert viewer.post(page("download", media.add().pk)).status_code == 405


def test_a_file_that_is_not_there_is_not_found_and_an_archive_that_is_down_is_for_later(s3, viewer, media, settings):
    assert download(viewer, media.row("missing.jpg")).status_code == 404
    moved = media.row("moved.jpg", location="CLOUD", moved_at=NOW, local_removed_at=NOW)
    entry = s3.storage(endpoint_url="http://127.0.0.1:1")
    settings.STORAGES = {**settings.STORAGES, "media_archive": entry}
    assert download(viewer, moved).status_code == 503
