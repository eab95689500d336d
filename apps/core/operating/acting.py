"""What every action has in common: a row in the audit, and errors in sentences."""

from collections.abc import Callable
from uuid import UUID

import redis
from django.db import Error as DatabaseError
from kombu.exceptions import EncodeError
from kombu.exceptions import OperationalError as BrokerError

from ..actions import Actor, Done, perform
from ..broker.stock import MoveRefusedError
from ..dead_letters.arguments import WrongArgumentsError
from ..exceptions import BackgroundJobsError
from ..logs import redact
from ..models import OperatorAction
from .errors import FailedError

NOT_ANSWERED = (redis.RedisError, BrokerError, DatabaseError)
NOT_POSSIBLE = (BackgroundJobsError, EncodeError, MoveRefusedError, WrongArgumentsError)


def act(
    name: str,
    work: Callable[[], int | Done],
    *,
    actor: Actor,
    target: str,
    reason: str,
    request_id: UUID | None,
    prepare: Callable[[], int | None] | None = None,
) -> OperatorAction:
    """Perform an action; see `perform`.

    Raises PermissionDenied and ValidationError, then RefusedError of `prepare`, all before there is a row; then, or
    where a server does not answer, FailedError.
    """
    try:
        return perform(name, work, actor=actor, target=target, reason=reason, request_id=request_id, prepare=prepare)
    except NOT_ANSWERED as error:
        words = redact(f"{type(error).__name__}: {error}")
        raise FailedError(f"The server cannot do this now: {words}") from error
    except NOT_POSSIBLE as error:
        raise FailedError(redact(str(error))) from error
