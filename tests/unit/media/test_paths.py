"""Which paths are taken, and what they are in the archive."""

import pytest

from apps.media.paths import key_of, parts_of
from apps.media.trouble import MediaTroubleError, Trouble


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("gate.jpg", ("gate.jpg",)),
        ("2026/09/gate.jpg", ("2026", "09", "gate.jpg")),
        ("Büro/तस्वीर 1.jpg", ("Büro", "तस्वीर 1.jpg")),
        ("-rf/--", ("-rf", "--")),
        (" / ", (" ", " ")),
        (".../..a/.b", ("...", "..a", ".b")),
        ("n" * 255, ("n" * 255,)),
    ],
)
def test_a_path_is_taken_apart_as_it_is(path: str, parts: tuple[str, ...]) -> None:
    assert parts_of(path) == parts
    assert key_of(7, path) == f"7/{path}"


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/etc/passwd",
        "..",
        "../8/gate.jpg",
        "2026/../../8/gate.jpg",
        "2026/..",
        ".",
        "./gate.jpg",
        "2026/./gate.jpg",
        "2026//gate.jpg",
        "2026/",
        "..\\8\\gate.jpg",
        "a\\b",
        "gate\0.jpg",
        "gate\n.jpg",
        "gate\x1b[2J.jpg",
        "gate\x85.jpg",
        "gate\udcff.jpg",
        "n" * 256,
        "ü" * 128,
        "/".join("d" * 200 for _ in range(5)),
    ],
    ids=ascii,
)
def test_a_path_that_could_mean_something_else_is_refused_and_not_quoted(path: str) -> None:
    with pytest.raises(MediaTroubleError) as refused:
        parts_of(path)
    assert refused.value.trouble is Trouble.BAD_PATH
    assert str(refused.value) == Trouble.BAD_PATH.label


def test_the_longest_path_fits_an_s3_key() -> None:
    path = "/".join(["d" * 199] * 5)
    assert len(path) == 999
    assert len(key_of(2**63 - 1, path)) <= 1024
