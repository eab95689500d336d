"""What is done to idempotency keys."""

from typing import Final

from apps.core.idempotency import records
from apps.core.operating import RefusedError, release_key

from .offer import Ask, Offer, Outcome, Preview, Target


def _preview(target: Target) -> Preview:
    key = target.one("key")
    if not key or "\0" in key:
        raise RefusedError("Say which key.")
    record = records().look_up(key)
    if record is None:
        return Preview(sentence=f"Nobody holds {key} now; what the database keeps for it is forgotten.", count=None)
    state, job = record.fields.get("state", "unknown"), record.fields.get("job", "unknown")
    held = f"It is {state}, by job {job}"
    if state == "running":
        held += (
            ", whose worker is alive: it runs on and may do its work a second time"
            if record.owner_alive
            else (", whose worker is dead")
        )
    return Preview(sentence=f"{key} is forgotten, so that its job can run again. {held}.", count=1)


def _release(ask: Ask) -> Outcome:
    return Outcome(row=release_key(ask.target.one("key"), **ask.signed()))


OFFERS_FOR_KEYS: Final = (
    Offer(
        name="release_key",
        action="release-key",
        label="Release the key",
        title="Release an idempotency key",
        takes=("key",),
        preview=_preview,
        act=_release,
    ),
)
