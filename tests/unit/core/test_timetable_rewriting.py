import subprocess
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import crontab

from apps.core.schedules import Entry, Every, every
from apps.core.timetable.rewriting import rewritten, unified_diff

CRON = "17,47 * * * *"
INTERVAL = every(minutes=30, offset=12)
ENGINE = "from apps.core.schedules import Entry, every\n"


def entry(name: str, source: str) -> Entry:
    """What the source makes of it, when it runs."""
    made: dict[str, Any] = {}
    exec(compile(source.removeprefix("\ufeff"), "schedule", "exec"), made)  # noqa: S102 - this is the proof
    entries: tuple[Entry, ...] = made["ENTRIES"]
    return next(each for each in entries if each.name == name)


def written(when: str, imports: str = ENGINE) -> str:
    return f'{imports}ENTRIES = (\n    Entry(name="x", task="t", when={when}, expires=60),  # why\n)\n'


LITERALS = [
    '"12,42 * * * *"',
    "'12,42 * * * *'",
    'r"12,42 * * * *"',
    '"""12,42 * * * *"""',
    '("12,42 * * * *")',
    '(\n        "12,42 "\n        "* * * *"\n    )',
    '"12,42 " "* * * *"',
    "every(minutes=27, offset=4)",
    "every(\n        minutes=3 * 9,\n\toffset=+4,\n    )",
    "(every(minutes=27))",
]


@pytest.mark.parametrize("new", [CRON, INTERVAL])
@pytest.mark.parametrize("old", LITERALS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_entrys_literal_is_replaced_and_nothing_else(old: str, new: str | Every, end: str, mark: str) -> None:
    source = mark + written(old).replace("\n", end)
    after, left = rewritten(source, {"x": new})
    assert not left
    assert entry("x", after).when == new
    quote = "'" if old[0] == "'" else '"""' if old.startswith('"""') else '"'
    text = f"{quote}{new}{quote}" if isinstance(new, str) else "every(minutes=30, offset=12)"
    assert after.count(text) == 1
    before, behind = after.split(text)
    assert source.startswith(before)
    assert source.endswith(behind)


def test_a_source_that_stays_as_it_is_stays_so_byte_for_byte() -> None:
    source = written('"12,42 * * * *"')
    assert rewritten(source, {"x": "12,42 * * * *"}) == (source, [])
    assert rewritten(source, {}) == (source, [])


@pytest.mark.parametrize(
    "before",
    ['ä = "äöü€😀"; ', "\x0c", 'A = """\u2028\x85\x1c\x0b"""\n', "x = 1; \t", "x = \\\n\t\x0c 1; "],
)
def test_what_stands_before_an_entry_does_not_move_it(before: str) -> None:
    source = f'{ENGINE}{before}ENTRIES = (Entry(name="ä€", task="t", when="1 * * * *", expires=60),)'
    after, left = rewritten(source, {"ä€": CRON})
    assert (after, left) == (source.replace("1 * * * *", CRON), [])
    assert entry("ä€", after).when == CRON


def test_several_entries_of_a_file_are_replaced_at_once() -> None:
    one = '    Entry(name="{}", task="t", when={}, expires=60),\n'
    source = ENGINE + "ENTRIES = (\n" + one.format("x", '"1 * * * *"') + one.format("y", "every(minutes=9)") + ")\n"
    after, left = rewritten(source, {"y": CRON, "x": INTERVAL, "z": CRON})
    assert left == ["z"]
    assert (entry("x", after).when, entry("y", after).when) == (INTERVAL, CRON)


@pytest.mark.parametrize(
    "when",
    [
        'f"1 * * * *"',
        'f"{1} * * * *"',
        '"1 * * * *" f""',
        "WHEN",
        'WHENS["x"]',
        'minutes("1") + " * * *"',
        "every(minutes=PERIOD)",
        "every(**PERIOD)",
        '("1 * "  # the first\n    "* * *")',
    ],
)
def test_what_is_not_literal_is_left(when: str) -> None:
    source = written(when)
    assert rewritten(source, {"x": CRON}) == (source, ["x"])
    assert rewritten(source, {"x": INTERVAL}) == (source, ["x"])


@pytest.mark.parametrize(
    "source",
    [
        'for name in ["x"]:\n    Entry(name=name, task="t", when="1 * * * *", expires=1)',
        'if A:\n    E = Entry(name="x", when="1 * * * *")\nelse:\n    E = Entry(name="x", when="2 * * * *")',
        'path("x", name="x")',
        '{"x": {"schedule": crontab(minute=1), **common}}',
        '{"x": {"task": "t"}}',
        "def (",
    ],
)
def test_what_cannot_be_told_apart_is_left(source: str) -> None:
    assert rewritten(source, {"x": CRON}) == (source, ["x"])


@pytest.mark.parametrize(
    ("imports", "expected", "call"),
    [
        ("from apps.core.schedules import Entry\n", "from apps.core.schedules import Entry, every\n", "every"),
        (
            "from apps.core.schedules import (\n    Entry,  # ours\n    Every,\n)\n",
            "from apps.core.schedules import (\n    Entry,  # ours\n    Every, every,\n)\n",
            "every",
        ),
        ("from apps.core.schedules import Entry, every as each\n", None, "each"),
    ],
)
def test_an_interval_brings_its_import(imports: str, expected: str | None, call: str) -> None:
    after, left = rewritten(written('"1 * * * *"', imports), {"x": INTERVAL})
    assert not left
    assert after == written(f"{call}(minutes=30, offset=12)", expected or imports)
    assert entry("x", after).when == INTERVAL


def test_an_interval_comes_from_where_the_entry_does() -> None:
    source = written('"1 * * * *"', "from apps.core import schedules\n").replace("Entry(", "schedules.Entry(")
    after, left = rewritten(source, {"x": INTERVAL})
    assert not left
    assert entry("x", after).when == INTERVAL


@pytest.mark.parametrize(
    "imports",
    [
        "from apps.core.schedules.entry import Entry\n",
        "from apps.core.schedules import *\n",
        "from schedule import every\nfrom apps.core.schedules import Entry\n",
        "from apps.core.schedules import Entry\ndef every(): ...\n",
        "import apps.core.schedules.entry as e\nEntry = e.Entry\n",
    ],
)
def test_where_every_may_be_something_else_the_entry_is_left(imports: str) -> None:
    source = written('"1 * * * *"', imports)
    assert rewritten(source, {"x": INTERVAL}) == (source, ["x"])


@pytest.mark.parametrize(
    "when", ["30", "1.5", "timedelta(minutes=5)", "schedule(run_every=60)", 'crontab(minute="1")']
)
def test_in_an_entry_any_literal_becomes_an_interval(when: str) -> None:
    after, left = rewritten(written(when), {"x": INTERVAL})
    assert (after, left) == (written("every(minutes=30, offset=12)"), [])


PLAIN = [
    'app.conf.beat_schedule = {{\n    "x": {{"task": "t", "schedule": {}, "args": ()}},  # ä\n}}\n',
    'beat = {{"ä": 1, "x": dict(task="t", schedule=({}))}}\n',
    'app.conf.beat_schedule["x"] = {{\n\t"task": "t",\n\t"schedule": {},\n}}\n',
    'sender.add_periodic_task({}, task.s(), name="x")\n',
    'sender.add_periodic_task(\n    schedule={},\n    sig=task.s(),\n    name="x",\n)',
]
CRONTABS = [
    ("crontab()", "3 4 * * *", "crontab(minute=3, hour=4)"),
    ("crontab(minute=0, hour=4)", "3 4 * * *", "crontab(minute=3, hour=4)"),
    ("crontab(hour = 4, minute='0')", "3 4 * * *", "crontab(hour = 4, minute='3')"),
    ("crontab(minute='0', hour=4)", "3,5 * * * *", "crontab(minute='3,5')"),
    ("crontab(minute='0')", "3 4 * * 1-5", "crontab(minute='3', hour='4', day_of_week='1-5')"),
    (
        "schedules.crontab(0, 4, 1)",
        "0 4 2 3 *",
        "schedules.crontab(minute=0, hour=4, day_of_month=2, month_of_year=3)",
    ),
    ("crontab(minute=[0, 30], tz=UTC)", "2,32 * * * *", 'crontab(minute="2,32", tz=UTC)'),
    ("crontab(nowfun=now, hour=3)", "* * * * *", "crontab(nowfun=now)"),
    (
        "crontab(\n    minute=0,\n    nowfun=now,  # ours\n)",
        "5 * * * *",
        "crontab(\n    minute=5,\n    nowfun=now,  # ours\n)",
    ),
    ("crontab.from_string('0 4 * * *')", "3 4 * * *", "crontab.from_string('3 4 * * *')"),
    ("crontab(hour=4, minute='0')", "0 4 * * *", "crontab(hour=4, minute='0')"),
]


@pytest.mark.parametrize("template", PLAIN)
@pytest.mark.parametrize(("old", "cron", "new"), CRONTABS)
def test_a_crontab_is_rewritten_in_place(template: str, old: str, cron: str, new: str) -> None:
    for end in ("\n", "\r\n"):
        source = template.format(old).replace("\n", end)
        assert rewritten(source, {"x": cron}) == (template.format(new).replace("\n", end), [])


@pytest.mark.parametrize(("cron", "new"), [(cron, new) for _, cron, new in CRONTABS])
def test_a_rewritten_crontab_means_what_was_asked(cron: str, new: str) -> None:
    names = {"crontab": crontab, "UTC": None, "now": None}
    made = eval(new.removeprefix("schedules.").replace("tz=UTC", ""), names)  # noqa: S307 - this is the proof
    assert made == crontab.from_string(cron)


@pytest.mark.parametrize("template", PLAIN)
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("crontab(minute=1)", INTERVAL),
        ("30.0", INTERVAL),
        ("timedelta(minutes=5)", INTERVAL),
        ("schedule(30)", INTERVAL),
        ("timedelta(minutes=5)", CRON),
        ("WHEN", CRON),
        ("crontab(minute=MINUTE)", CRON),
        ('crontab(minute=f"{1}")', CRON),
        ("crontab(**WHEN)", CRON),
        ("crontab(*WHEN)", CRON),
        ("crontab(minute=1)", "1 2 3"),
        ("crontab(\n    minute=0,  # sharp\n)", "5 4 * * *"),
        ("crontab.from_string(WHEN)", CRON),
        ('solar("sunset", 1, 2)', CRON),
    ],
)
def test_what_another_projects_schedule_cannot_say_is_left(template: str, old: str, new: str | Every) -> None:
    source = template.format(old)
    assert rewritten(source, {"x": new}) == (source, ["x"])


@pytest.mark.parametrize("tool", [["git", "apply"], ["patch", "-p1", "--batch", "-i"]])
@pytest.mark.parametrize("name", ["schedule.py", "shop/the times.py", "zeit/täglich.py"])
@pytest.mark.parametrize(
    "before",
    [
        "a\nb\nc",
        "a\nb\nc\n",
        "a\r\nb\r\nc\r\n",
        "\ufeffa\nb\x0c\x0b\x1c\n\u2028c\x85",
        "b",
        "".join(f"{line}\n" for line in "xyzxyzabcxyzxyzcba"),
    ],
)
def test_the_diff_is_one_that_the_tools_take(tmp_path: Path, tool: list[str], name: str, before: str) -> None:
    after = before.replace("b", "ß\nB")
    file = tmp_path / name
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before.encode())
    patch = tmp_path / "a.diff"
    patch.write_bytes(unified_diff(name, before, after).encode())
    subprocess.run([*tool, str(patch)], cwd=tmp_path, check=True, capture_output=True)
    assert file.read_bytes() == after.encode()


def test_there_is_no_diff_of_nothing() -> None:
    assert unified_diff("a.py", "a", "a") == ""


def test_a_file_elsewhere_is_named_from_the_root_on() -> None:
    assert unified_diff("/srv/shop/a.py", "a\n", "b\n").startswith("--- a/srv/shop/a.py\n+++ b/srv/shop/a.py\n")
