"""The files of reports: where they are, and that nothing else is ever named, read or removed."""

import os
from pathlib import Path

import pytest

from apps.reports import files
from apps.reports.models import GeneratedReport, ReportSchedule

from .firm import MIDNIGHT


def report_of(file, tenant_id=7):
    return GeneratedReport(schedule=ReportSchedule(tenant_id=tenant_id), file=file)


def write(fill, tenant_id=7):
    return files.write(tenant_id=tenant_id, schedule_id=3, window_end=MIDNIGHT, suffix=".csv", fill=fill)


def test_a_file_has_its_name_when_it_is_complete(reports_root):
    seen = []

    def fill(path):
        path.write_bytes(b"abc")
        seen.append(sorted(path.name for path in reports_root.rglob("*") if path.is_file()))

    written = write(fill)
    assert written.size == 3
    assert written.sha256 == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert written.file.startswith("7/3/20261124T183000Z-")
    path = files.path_of(report_of(written.file))
    assert path == reports_root / written.file
    assert path.read_bytes() == b"abc"
    assert seen == [[f"{path.name}.part"]]
    assert path.stat().st_mode & 0o077 == path.parent.stat().st_mode & 0o077 == 0  # nobody else's to read


def test_two_files_of_one_window_have_two_names(reports_root):
    def fill(path):
        path.write_text("x")

    assert write(fill).file != write(fill).file


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_goes_wrong_leaves_nothing(reports_root, error):
    def fill(path):
        path.write_text("half of it")
        raise error

    with pytest.raises(error):
        write(fill)
    assert [path for path in reports_root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "file",
    [
        "",
        "7",
        ".",
        "7/..",
        "7/../8/3/other.csv",
        "8/3/other.csv",
        "/etc/passwd",
        "//etc/passwd",
        "../../etc/passwd",
        "7/3/../../../outside.csv",
        "./8/3/other.csv",
        "7/3/link.csv",
        "7/linked/outside.csv",
        "7/3/loop",
        "7/3/a\0b.csv",
        "77/3/other.csv",
    ],
)
def test_nothing_outside_the_tenants_folder_is_a_reports_file(reports_root, tmp_path, file):
    outside = tmp_path / "outside.csv"
    outside.write_text("secret")
    for folder in ("7/3", "8/3", "77/3"):
        (reports_root / folder).mkdir(parents=True)
        (reports_root / folder / "other.csv").write_text("another's")
    (reports_root / "7/3/link.csv").symlink_to(outside)
    (reports_root / "7/linked").symlink_to(tmp_path)
    (reports_root / "7/3/loop").symlink_to("loop")
    with pytest.raises(files.NoSuchPlaceError):
        files.path_of(report_of(file))
    if file:
        with pytest.raises(files.NoSuchPlaceError):
            files.remove(report_of(file))
    assert outside.exists()
    assert (reports_root / "8/3/other.csv").exists()


def test_a_tenant_folder_that_is_a_link_is_refused(reports_root, tmp_path):
    (tmp_path / "elsewhere/3").mkdir(parents=True)
    reports_root.mkdir()
    (reports_root / "7").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(files.NoSuchPlaceError):
        files.path_of(report_of("7/3/x.csv"))


def test_the_root_may_be_a_link_and_a_file_may_be_missing(tmp_path, settings):
    (tmp_path / "disk").mkdir()
    settings.REPORTS_ROOT = tmp_path / "reports"
    settings.REPORTS_ROOT.symlink_to(tmp_path / "disk")
    written = write(lambda path: path.write_text("x"))
    report = report_of(written.file)
    assert files.path_of(report) == tmp_path / "disk" / written.file
    assert files.remove(report) is True
    assert files.remove(report) is False
    assert files.remove(report_of("")) is False
    assert not files.path_of(report).exists()


def test_a_folder_that_cannot_be_written_is_an_error_of_the_disk(reports_root):
    Path(reports_root).mkdir()
    (reports_root / "7").write_text("a file where a folder should be")
    with pytest.raises(OSError, match=os.strerror(20)):
        write(lambda path: None)
