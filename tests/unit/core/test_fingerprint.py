from pathlib import Path

import apps.core
from apps.core.fingerprint import fingerprint

ENGINE = Path(apps.core.__file__).parent
FRAMES = (
    "/srv/a/.venv/lib/python3.11/site-packages/celery/app/trace.py:trace_task",
    f"{ENGINE}/tasks/runner.py:attempt",
    "/srv/a/apps/billing/tasks.py:invoice",
    "/srv/a/apps/billing/services.py:charge",
    "/usr/lib/python3.11/json/decoder.py:decode",
)


def of(
    task: str = "invoice", error: str = "ValueError", frames: tuple[str, ...] = FRAMES, reason: str = "permanent"
) -> str:
    return fingerprint(task=task, reason=reason, error=error, frames=frames)


def test_it_is_sixteen_digits_and_always_the_same() -> None:
    assert of() == of()
    assert len(of()) == 16


def test_another_task_error_or_place_is_another_trouble() -> None:
    moved = (*FRAMES[:3], "/srv/a/apps/billing/services.py:refund")
    assert len({of(), of(task="refund"), of(error="KeyError"), of(frames=moved)}) == 4


def test_frames_that_are_not_the_projects_own_do_not_count() -> None:
    assert of() == of(frames=FRAMES[2:4])
    assert of() == of(frames=(*FRAMES, "<frozen importlib._bootstrap>:_call"))
    assert of() == of(reason="transient")


def test_where_a_release_is_installed_does_not_count() -> None:
    assert of() == of(frames=tuple(frame.replace("/srv/a/", "/srv/releases/17/") for frame in FRAMES))


def test_how_deep_a_recursion_went_and_who_called_does_not_count() -> None:
    deep = tuple(f"/srv/a/apps/billing/{name}.py:f" for name in ("one", "two", "three"))
    assert of(frames=deep + deep[-1:] * 40) == of(frames=deep + deep[-1:] * 5)
    assert of(frames=deep) == of(frames=("/srv/a/apps/other/caller.py:g", *deep))


def test_where_all_frames_are_others_they_count() -> None:
    assert of(frames=FRAMES[-1:]) != of(frames=FRAMES[:1])


def test_without_an_error_the_reason_counts() -> None:
    assert of(error="", reason="poison") != of(error="", reason="expired")
    assert of(error="", frames=()) == of(error="", frames=FRAMES)


def test_a_task_name_that_is_no_text_of_this_world_has_one_too() -> None:
    assert len(of(task="\ud83d")) == 16
