"""Single jobs: revoking them, and looking at what is hidden of them."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from celery import current_app

from ..actions import Actor, Done
from ..broker.configured import is_leased
from ..broker.whereabouts import find
from ..dead_letters.models import DeadLetter
from ..dead_letters.original import Arguments, Original, UnreadableMessageError
from ..models import OperatorAction
from ..outbox import rows
from .acting import act
from .errors import RefusedError
from .messages import messages

MOST: Final = 1000  # jobs that are revoked at once
LONGEST_ID: Final = 255


def revoke_jobs(ids: Sequence[str], *, actor: Actor, reason: str, request_id: UUID | None = None) -> OperatorAction:
    """Let these jobs not start any more, wherever they wait, and whoever enqueues them again. What runs runs on."""
    jobs = tuple(dict.fromkeys(ids))

    def prepare() -> int:
        if not jobs:
            raise RefusedError("Say which jobs, by their ids.")
        if len(jobs) > MOST:
            raise RefusedError(f"{len(jobs)} jobs are more than the {MOST} that can be revoked at once.")
        if wrong := [job for job in jobs if not _is_id(job)]:
            raise RefusedError(f"{wrong[0][:LONGEST_ID]!r} is no job's id.")
        messages()
        return len(jobs)

    def revoke() -> Done:
        messages().client.ping()  # else kombu would wait for the server
        control: Any = current_app.control
        control.revoke(list(jobs))  # which also tells workers that have one in hand and have not started it
        which = "It does" if len(jobs) == 1 else f"These {len(jobs)} do"
        return Done(affected=len(jobs), detail=f"{which} not start any more.")

    return act(
        "revoke-jobs",
        revoke,
        actor=actor,
        target=", ".join(jobs),
        reason=reason,
        request_id=request_id,
        prepare=prepare,
    )


def reveal_arguments(
    job_or_letter: str | int, *, actor: Actor, reason: str, request_id: UUID | None = None
) -> tuple[OperatorAction, Arguments | None]:
    """The arguments of a job as they are, sensitive ones too: by its id, or by that of its dead letter.

    None where its message is gone, or cannot be read, and where the same request has shown them before. The audit
    keeps who looked at whose, never what they were.
    """
    name, found = str(job_or_letter), []

    def prepare() -> int:
        if not _is_id(name):
            raise RefusedError(f"{name[:LONGEST_ID]!r} is neither a job's id nor a dead letter's.")
        return 1

    def reveal() -> Done:
        message = _message(name)
        if message is None:
            return Done(affected=0, detail="Its message is gone: no dead letter, row of the outbox or queue has it.")
        try:
            found.append(Original.read(message).arguments)
        except UnreadableMessageError:
            return Done(affected=0, detail="Its message cannot be read.")
        return Done(affected=1)

    row = act(
        "reveal-arguments",
        reveal,
        actor=actor,
        target=name,
        reason=reason,
        request_id=request_id,
        prepare=prepare,
    )
    return row, found[0] if found else None


def _message(name: str) -> bytes | None:
    """The latest message of a job; that of a letter, if it is the letter's id."""
    letters = DeadLetter.objects
    if name.isascii() and name.isdigit() and len(name) < 19 and (letter := letters.filter(pk=int(name)).first()):
        return bytes(letter.message)
    if letter := letters.filter(job=name, state=DeadLetter.State.OPEN).first():
        return bytes(letter.message)
    if row := rows.table().filter(job=name).order_by("-id").first():
        return row.message.encode()
    if is_leased() and (places := find(messages(), name).places):
        return places[0].text
    letter = letters.filter(job=name).first()
    return None if letter is None else bytes(letter.message)


def _is_id(name: str) -> bool:
    return 0 < len(name) <= LONGEST_ID and name.isprintable() and name == name.strip()
