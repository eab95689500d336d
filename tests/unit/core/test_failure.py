import pytest
from billiard.einfo import ExceptionInfo
from celery.utils.serialization import UnpickleableExceptionWrapper

from apps.core.broker.ending import Ending, error_of
from apps.core.broker.failure import LONGEST_TEXT, LONGEST_TRACEBACK, MOST_FRAMES, Failure
from apps.core.exceptions import DuplicateOfFailedError, DuplicateRunningError


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def info_of(error: BaseException) -> ExceptionInfo:
    """What Celery tells of a job that raised this."""
    try:
        raise error
    except BaseException:  # noqa: BLE001 - any
        return ExceptionInfo()


def failure_of(error: BaseException, *secrets: str) -> Failure:
    info = info_of(error)
    return Failure.of(info, error_of(info), secrets=secrets)


def test_an_error_is_told_by_its_class_its_text_and_where_it_came_from() -> None:
    failure = failure_of(ValueError("wrong"))
    assert (failure.error, failure.text) == ("ValueError", "wrong")
    assert failure.traceback.endswith("ValueError: wrong\n")
    assert failure.frames[-1] == f"{__file__}:info_of"


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ValueError(), ""),
        (KeyError("a: b"), "'a: b'"),
        (MuteError(), "<exception str() failed>"),
        (ValueError("two\nlines"), "two\nlines"),
        (UnpickleableExceptionWrapper("billing", "OddError", ("7: odd",)), "7: odd"),
    ],
)
def test_whatever_an_error_says_is_text(error: Exception, text: str) -> None:
    assert failure_of(error).text == text


def test_an_error_that_could_not_be_pickled_keeps_its_class() -> None:
    assert failure_of(UnpickleableExceptionWrapper("billing", "OddError", ())).error == "OddError"


def test_neither_secrets_nor_personal_data_are_kept() -> None:
    failure = failure_of(ValueError("hunter2 of ann@example.com"), "hunter2")
    assert failure.text == "[hidden] of [e-mail]"
    assert "hunter2" not in failure.traceback
    assert "ann@example.com" not in failure.traceback


def test_what_is_kept_has_an_end_and_no_half_of_a_secret_is_left_there() -> None:
    def deeper(levels: int) -> None:
        if levels == 0:
            raise ValueError("x" * (2 * LONGEST_TEXT - 3) + "hunter2" * 10_000)
        deeper(levels - 1)

    with pytest.raises(ValueError, match="x") as raised:
        deeper(200)
    failure = failure_of(raised.value, "hunter2")
    assert len(failure.text) == LONGEST_TEXT
    assert "hunter2" not in failure.traceback
    assert len(failure.traceback) <= LONGEST_TRACEBACK
    assert len(failure.frames) == MOST_FRAMES


def test_a_duplicate_of_another_jobs_failure_is_none_of_its_own() -> None:
    def ending_of(error: Exception) -> str:
        ending = Ending.of(info_of(error), job="mine", secrets=())
        assert ending is not None
        return ending.reason

    assert ending_of(DuplicateOfFailedError("ValueError", "wrong", job="another")) == "duplicate"
    assert ending_of(DuplicateRunningError("runs")) == "duplicate"
    assert ending_of(DuplicateOfFailedError("ValueError", "wrong", job="mine")) == "permanent"
