import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from celery import Celery

from apps.core.schedules.timetable import Place, Suppression
from apps.core.timetable.sources import Sources, project_files, read_sources

Read = Callable[..., Sources]


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Read:
    """Reads texts or bytes as files a.py, b.py and so on of the working directory."""
    monkeypatch.chdir(tmp_path)

    def reader(*contents: str | bytes) -> Sources:
        files = [tmp_path / f"{letter}.py" for letter, _ in zip("abc", contents, strict=False)]
        for file, content in zip(files, contents, strict=True):
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_sources(files)

    return reader


def lines(sources: Sources) -> dict[str, tuple[str, int]]:
    return {name: (place.file, place.line) for name, place in sources.places.items()}


@pytest.mark.parametrize(
    "text",
    [
        'ENTRIES = (\n    Entry(name="x", task="t", when="1 * * * *"),\n)',
        'app.conf.beat_schedule = {\n    "x": {"task": "t", "schedule": 30},\n}',
        'CELERY_BEAT_SCHEDULE = {\n    "x": dict(COMMON, args=(1,)),\n}',
        'app.conf.beat_schedule = dict(\n    x=dict(task="t", schedule=30),\n)',
        'app = Celery()\napp.conf.beat_schedule["x"] = {"task": "t", "schedule": 30}',
        'def setup(sender, **kw):\n    sender.add_periodic_task(crontab(minute=1), task.s(), name="x")',
        'async def f():\n    app.conf.update({"beat_schedule": {"x": {"task": "t"}}})',
        '"""Zeiten: äöü."""\n"ä"; Entry(name="x", when="1 * * * *")',
        'A = "\u2028\x85\x1c"\nB = {"x": nightly()}',
        '\x0c\n\x0cEntry(name="x", when="1 * * * *")',
        '# name="x"\nEntry(name="" "x", when="1 * * * *")',
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_entry_is_found_however_it_is_written(read: Read, text: str, end: str, mark: str) -> None:
    assert lines(read(mark + text.replace("\n", end)))["x"] == ("a.py", 2)


@pytest.mark.parametrize(
    "text",
    [
        'for name in ("x",):\n    Entry(name=name, when="1 * * * *")',
        'Entry(name=f"x", when="1 * * * *")',
        '{"x": 1, **{}}',
        '# "x": {"task": "t"}',
        '"""{"x": {"task": "t"}}"""',
        '@shared_task(name="x")\ndef f(): ...',
        'Entry(name=b"x", when="1 * * * *")',
    ],
)
def test_what_has_no_name_of_its_own_is_not_found(read: Read, text: str) -> None:
    assert read(text).places.get("x") is None


def test_of_a_name_that_stands_twice_the_entry_counts_and_then_the_first_file(read: Read) -> None:
    path = 'path("x/", view, name="x")'
    entry = '\nEntry(name="x", task="t", when="1 * * * *")'
    assert lines(read(path, entry, entry)) == {"x": ("b.py", 2)}
    assert lines(read(path, path)) == {"x": ("a.py", 1)}


def test_files_that_cannot_be_read_are_passed_over(read: Read, tmp_path: Path) -> None:
    good = 'Entry(name="x", when="1 * * * *")'
    assert lines(read(b"\xff\xfe\x00", good)) == {"x": ("b.py", 1)}
    assert lines(read("def (", good)) == {"x": ("b.py", 1)}
    assert lines(read(good + "#" * 1_000_000, good)) == {"x": ("b.py", 1)}
    assert lines(read("x = " + "(" * 5_000, good)) == {"x": ("b.py", 1)}
    assert lines(read('# coding: latin-1\n"\xe4"; '.encode("latin-1") + good.encode())) == {"x": ("a.py", 2)}
    assert lines(read_sources([tmp_path, tmp_path / "none.py", tmp_path / "a.py"])) == {"x": ("a.py", 2)}


def test_a_doubtful_file_is_read_in_silence(read: Read, recwarn: pytest.WarningsRecorder) -> None:
    assert lines(read('"\\d"; Entry(name="x", when="1 * * * *"); 1 is 1')) == {"x": ("a.py", 1)}
    assert not recwarn


def test_a_place_outside_of_the_working_directory_is_told_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "project" / "schedule.py"
    (tmp_path / "elsewhere").mkdir()
    file.parent.mkdir()
    file.write_text('{"x": {"task": "t"}}')
    monkeypatch.chdir(tmp_path)
    assert read_sources([file]).places.get("x") == Place(file="project/schedule.py", line=1)
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert read_sources([file]).places.get("x") == Place(file=file.as_posix(), line=1)


SUPPRESSED = """\
# A heading.

# schedules: ignore[SCH101, SCH104] they are two halves of one job
# of which the second waits
Entry(name="a", task="t", when="1 * * * *"),
Entry(
    name="b",  # noqa  # schedules: ignore[SCH102]: it is short  # pragma: no cover
    kwargs={"task": {"c": {"task": "t"}}},  # schedules:ignore [SCH106]
)  # schedules: ignore[SCH107] — a worker of its own
"""


def told(sources: Sources) -> list[tuple[str, str, int, str]]:
    return [(each.entry, each.code, each.place.line, each.reason) for each in sources.suppressions]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_comment_beside_an_entry_suppresses(read: Read, end: str) -> None:
    assert told(read(SUPPRESSED.replace("\n", end))) == [
        ("a", "SCH101", 3, "they are two halves of one job"),
        ("a", "SCH104", 3, "they are two halves of one job"),
        ("b", "SCH102", 7, "it is short"),
        ("b", "SCH106", 8, ""),
        ("b", "SCH107", 9, "a worker of its own"),
    ]


@pytest.mark.parametrize("value", ['{"task": "t", "schedule": 30}', "nightly()"])
def test_the_entry_is_meant_and_not_what_it_is_in(read: Read, value: str) -> None:
    text = f"""\
app.conf.update({{"beat_schedule": {{
    # schedules: ignore[SCH101] above
    "x": {value},
    "y": {value},  # schedules: ignore[SCH102] beside
}}}})
"""
    assert told(read(text)) == [("x", "SCH101", 2, "above"), ("y", "SCH102", 4, "beside")]


def test_a_subscript_is_an_entry_of_several_lines(read: Read) -> None:
    text = 'app.conf.beat_schedule["x"] = {\n    "task": "t",\n}  # schedules: ignore[SCH106] yes'
    assert told(read(text)) == [("x", "SCH106", 3, "yes")]


def test_a_comment_that_suppresses_nothing_is_told_with_its_code(read: Read) -> None:
    text = """\
# schedules: ignore[SCH101] far away

Entry(name="x", task="t", when="1 * * * *")  # schedules: ignore
Entry(name="y", task="t", when="1 * * * *")  # schedules: ignore[SCH101 open
Entry(name="z", task="t", when="1 * * * *")  # schedules: ignore[sch101, SCH999, SCH104] why
Entry(name="w", task="t", when="1 * * * *")  # schedules: ignore[] nothing
"""
    assert told(read(text)) == [
        ("", "SCH101", 1, ""),
        ("", "", 3, ""),
        ("", "", 4, ""),
        ("", "sch101", 5, ""),
        ("", "SCH999", 5, ""),
        ("z", "SCH104", 5, "why"),
        ("", "", 6, ""),
    ]


@pytest.mark.parametrize(
    "text",
    [
        'Entry(name="x", task="# schedules: ignore[SCH101] a text")',
        'Entry(name="x", task="""\n# schedules: ignore[SCH101] a text\n""")',
        '# Entry(name="w"),  # schedules: ignore[SCH101] code commented out\nEntry(name="x")',
        "# Write `# schedules: ignore[SCH101] the reason` there.",
        "# schedules: see the page",
        "# schedules: ignored ones are below",
    ],
)
def test_what_only_looks_like_a_suppression_is_none(read: Read, text: str) -> None:
    assert read(text).suppressions == ()


def test_a_suppression_names_its_own_line(read: Read) -> None:
    (found,) = read('\nEntry(name="x", when="")  # schedules: ignore[SCH101] why').suppressions
    assert found == Suppression(code="SCH101", reason="why", place=Place(file="a.py", line=2), entry="x")


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Path], None]:
    def load(name: str, file: Path) -> None:
        module = ModuleType(name)
        module.__file__ = str(file)
        monkeypatch.setitem(sys.modules, name, module)

    return load


def test_an_application_is_its_package_and_its_settings(tmp_path: Path, loaded: Callable[[str, Path], None]) -> None:
    own = [tmp_path / "shop" / "celery.py", tmp_path / "shop" / "schedule.py", tmp_path / "single.py"]
    loaded("shop.celery", own[0])
    loaded("shop.schedule", own[1])
    loaded("single", own[2])
    loaded("shopping.celery", tmp_path / "shopping.py")
    loaded("shop.fast", tmp_path / "shop" / "fast.so")
    loaded("shop.vendored", tmp_path / "site-packages" / "vendored.py")
    app = Celery("single", set_as_current=False)
    found = project_files(app, module="shop.celery")
    assert [file for file in found if file.is_relative_to(tmp_path)] == own
    settings = Path("intelliwiz_config/settings").resolve()
    assert {settings / "base.py", settings / "test.py"} <= set(found)
    assert project_files(app)[-1] == own[2]


def test_pythons_own_modules_and_packages_are_no_project() -> None:
    import email  # noqa: F401 - so that it is loaded

    for name in ("email", "celery", "__main__", ""):
        files = project_files(Celery(name, set_as_current=False))
        assert not [file for file in files if file.parent.name in ("email", "celery")]


def test_the_projects_own_timetable_is_found() -> None:
    from intelliwiz_config.celery import app
    from intelliwiz_config.schedule import ENTRIES

    sources = read_sources(project_files(app, module="intelliwiz_config"))
    places = [sources.places.get(entry.name) for entry in ENTRIES]
    assert {place.file for place in places if place} == {"intelliwiz_config/schedule.py"}
    assert len({place.line for place in places if place}) == len(ENTRIES)
