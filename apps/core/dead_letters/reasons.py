"""Why a job became a dead letter: the one table of reasons, which model, commands and documentation share."""

from typing import Final

from ..retry import FailureReason

REASONS: Final[dict[str, str]] = {
    FailureReason.TRANSIENT.value: "an error that may pass, at the last retry",
    FailureReason.RATE_LIMITED.value: "the other side wanted fewer calls, at the last retry",
    FailureReason.PERMANENT.value: "an error that no retry changes",
    FailureReason.TIMEOUT.value: "its soft time limit",
    FailureReason.POISON.value: "its process died, or its deliveries came to no end, too often",
    "time_limit": "killed at its hard time limit",
    "rejected": "the task said so",
    "expired": "nobody started it in time",
    "unknown_task": "no worker knew the task",
    "invalid_task": "Celery could not make a job of the message",
    "no_task": "the message names no task",
    "undecodable": "the message cannot be read",
}
