"""Moving messages from workers of Celery's own Redis transport to this one's, and back."""

from collections.abc import Callable
from uuid import UUID

from ..actions import Actor, Done
from ..broker import stock
from ..broker.stock import Moved
from ..broker.store import MessageStore
from ..models import OperatorAction
from .acting import act
from .messages import messages

Move = Callable[..., Moved]


def move_from_stock(
    *, force: bool = False, actor: Actor, reason: str, request_id: UUID | None = None
) -> tuple[OperatorAction, Moved | None]:
    """Adopt what dead stock workers had claimed. None where the same request has done it before."""
    return _move("move-from-stock", stock.take_over, force, actor, reason, request_id)


def move_to_stock(
    *, force: bool = False, actor: Actor, reason: str, request_id: UUID | None = None
) -> tuple[OperatorAction, Moved | None]:
    """Put what is delayed where stock workers find it. None where the same request has done it before."""
    return _move("move-to-stock", stock.hand_over, force, actor, reason, request_id)


def _move(
    name: str, way: Move, force: bool, actor: Actor, reason: str, request_id: UUID | None
) -> tuple[OperatorAction, Moved | None]:
    results: list[Moved] = []

    def prepare() -> None:
        store: MessageStore = messages()
        store.client.ping()  # else kombu would wait for the server

    def move() -> Done:
        results.append(way(messages(), force=force))
        return Done(affected=results[0].messages, detail=in_a_sentence(results[0]))

    target = "all queues, by force" if force else "all queues"
    row = act(name, move, actor=actor, target=target, reason=reason, request_id=request_id, prepare=prepare)
    return row, results[0] if results else None


def in_a_sentence(moved: Moved) -> str:
    return " ".join(filter(None, (f"{moved.messages} messages were moved.", what_stays(moved))))


def what_stays(moved: Moved) -> str:
    left = ", ".join(f"{count} {why}" for why, count in moved.left.items())
    return f"These stay where they are: {left}." if left else ""
