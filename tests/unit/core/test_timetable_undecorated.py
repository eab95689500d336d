import sys
from pathlib import Path
from types import ModuleType

import pytest
from celery import Celery

from apps.core.schedules.timetable import Place
from apps.core.timetable.undecorated import task_files, undecorated_function


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> Path:
    file = Path.cwd() / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def test_a_plain_name_is_a_function_of_any_module() -> None:
    file = write("reports/services.py", "import x\n\n@x.timed\ndef build(): ...\n")
    assert undecorated_function("build", [file]) == Place(file="reports/services.py", line=4)


@pytest.mark.parametrize("name", ["reports/tasks.py", "reports/tasks/__init__.py", "reports/tasks/nightly.py"])
def test_for_a_plain_name_modules_of_tasks_come_first(name: str) -> None:
    other, tasks = write("reports/a.py", "def build(): ..."), write(name, "\nasync def build(): ...")
    assert undecorated_function("build", iter([other, tasks])) == Place(file=name, line=2)


@pytest.mark.parametrize(
    "name", ["apps/reports/tasks.py", "apps/reports/tasks/__init__.py", "src/apps/reports/tasks.py"]
)
def test_a_dotted_name_says_the_module(name: str) -> None:
    others = [
        write(other, "def build(): ...") for other in ("apps/mail/tasks.py", "tasks.py", "myapps/reports/tasks.py")
    ]
    assert undecorated_function("apps.reports.tasks.build", others) is None
    file = write(name, "def build(): ...")
    assert undecorated_function("apps.reports.tasks.build", [*others, file]) == Place(file=name, line=1)


@pytest.mark.parametrize(
    "decorator",
    [
        "@shared_task",
        "@shared_task(name='z')",
        "@app.task",
        "@celery.app.task(bind=True)",
        "@x\n@periodic_task(1)\n@y",
    ],
)
def test_a_task_is_none(decorator: str) -> None:
    assert undecorated_function("build", [write("tasks.py", f"{decorator}\ndef build(): ...")]) is None


@pytest.mark.parametrize(
    "text",
    [
        "class Report:\n    def build(self): ...",
        "def outer():\n    def build(): ...",
        "build = 1",
        "def rebuild(): ...",
        "class build: ...",
        "def build(:",
        "def build(): ...\n@shared_task\ndef build(): ...",
    ],
)
def test_what_is_no_function_of_a_module_is_none(text: str) -> None:
    assert undecorated_function("build", [write("tasks.py", text), Path.cwd() / "none.py"]) is None


def test_the_files_are_those_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("shop.celery")
    module.__file__ = str(write("shop/celery.py", ""))
    monkeypatch.setitem(sys.modules, "shop.celery", module)
    monkeypatch.setattr(sys, "path", [str(Path.cwd() / "src"), *sys.path])
    app = Celery("shop", set_as_current=False, include=["jobs.nightly", "kombu.utils", "gone.away"])
    app.conf.imports = "more"
    write("src/jobs/__init__.py", "raise SystemExit('it was imported')")
    write("src/jobs/nightly.py", "")
    write("more/__init__.py", "")
    files = task_files(app)
    here = [file.relative_to(Path.cwd()).as_posix() for file in files if file.is_relative_to(Path.cwd())]
    assert here == ["shop/celery.py", "src/jobs/nightly.py", "more/__init__.py"]
    assert "jobs" not in sys.modules
    project = Path(__file__).parents[3]
    assert {project / "apps/helpdesk/tasks.py", project / "apps/operations/tasks.py"} <= set(files)
    assert not [file for file in files if "site-packages" in file.parts]
