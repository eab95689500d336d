"""Putting back what is in quarantine and is no dead letter yet."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from ..actions import Actor, Done
from ..broker import quarantine
from ..broker.quarantine import Quarantined
from ..broker.store import MessageStore
from ..models import OperatorAction
from .acting import act
from .errors import RefusedError
from .messages import messages


def restore_quarantined(
    leases: Sequence[str] = (),
    *,
    why: str | None = None,
    actor: Actor,
    reason: str,
    request_id: UUID | None = None,
) -> OperatorAction:
    """Put messages back into their queues exactly as they were: these, or all that were set aside for `why`."""

    def prepare() -> int | None:
        if bool(leases) == bool(why):
            raise RefusedError("Say what to restore: leases, or one reason for which messages were set aside.")
        messages()
        return len(leases) or None

    def restore() -> Done:
        store = messages()
        count = quarantine.restore(store, _those(store, leases, why))
        return Done(affected=count, detail=f"{count} put back into their queues.")

    return act(
        "restore-quarantined",
        restore,
        actor=actor,
        target=", ".join(leases) or f"all with the reason {why}",
        reason=reason,
        request_id=request_id,
        prepare=prepare,
    )


def _those(store: MessageStore, leases: Sequence[str], why: str | None) -> Iterator[Quarantined]:
    if not leases:
        yield from quarantine.each(store, reason=why)
    for lease in leases:
        if (one := quarantine.named(store, lease)) is not None:
            yield one
