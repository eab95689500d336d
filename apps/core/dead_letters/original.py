"""The message of a dead letter: reading it, and making a new one of it."""

import base64
import json
import uuid
from dataclasses import dataclass, field
from typing import Any, Final, Self

from kombu.utils.json import loads as typed_loads

from ..broker.messages import Outgoing, due_of
from ..context import DURABLE_HEADER, KEY_HEADER, READY_AT_HEADER, UNIQUE_HEADER

JSON: Final = "application/json"

Arguments = tuple[list[Any], dict[str, Any]]


class UnreadableMessageError(ValueError):
    """The message is no job's: it cannot be replayed. Find out who publishes it, and discard it."""

    def __str__(self) -> str:
        return " ".join(filter(None, (super().__str__(), self.__doc__)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A job's message, read as plain JSON: what is not understood here is published again as it was."""

    payload: dict[str, Any] = field(repr=False)
    job: str
    task: str

    @classmethod
    def read(cls, message: bytes) -> Self:
        """Raises UnreadableMessageError."""
        try:
            payload = json.loads(message)
            headers, properties = payload["headers"], payload["properties"]
            job, task = headers["id"], headers["task"]
            json.dumps(payload)
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise UnreadableMessageError(f"({type(error).__name__})") from None
        texts = all(isinstance(one, str) and one and one.isprintable() for one in (job, task))
        if not (texts and isinstance(headers, dict) and isinstance(properties, dict)):
            raise UnreadableMessageError
        return cls(payload=payload, job=job, task=task)

    @property
    def headers(self) -> dict[str, Any]:
        headers: dict[str, Any] = self.payload["headers"]
        return headers

    def header(self, name: str) -> str | None:
        value = self.headers.get(name)
        return value if isinstance(value, str) else None

    @property
    def tag(self) -> str:
        return str(self.payload["properties"].get("delivery_tag", ""))

    @property
    def arguments(self) -> Arguments:
        """Raises UnreadableMessageError for a body that is no job's, or in another format than JSON."""
        args, kwargs, *_ = self._body(typed_loads)
        return args, kwargs

    def again(
        self,
        *,
        queue: str,
        list_name: str,
        now: float,
        delay: float,
        arguments: Arguments | None,
        shown: dict[str, str],
    ) -> Outgoing:
        """The message to publish for one more run, after `delay` seconds at the soonest.

        `arguments`: in place of its own; then its key is made anew, and `shown` is what Celery shows of them. Raises
        UnreadableMessageError.
        """
        headers = {**self.headers, "retries": 0, "expires": None}
        eta = due_of(headers) or 0.0
        ready_at = max(now + delay, eta)
        if eta < ready_at:
            headers["eta"] = None
        headers[READY_AT_HEADER] = ready_at
        payload = {
            **self.payload,
            "headers": headers,
            "properties": {**self.payload["properties"], "delivery_tag": str(uuid.uuid4())},
        }
        payload.pop("ready_at", None)  # the broker says anew
        if arguments is not None:
            payload["body"] = self._body_with(arguments)
            headers.update(shown)
            for name in (KEY_HEADER, UNIQUE_HEADER):  # they were made from the old ones
                headers.pop(name, None)
        return Outgoing(
            job=self.job,
            task=self.task,
            queue=queue,
            list=list_name,
            text=json.dumps(payload),
            tag=payload["properties"]["delivery_tag"],
            due=ready_at if ready_at > now else 0.0,
            durable=headers.get(DURABLE_HEADER) is True,
            unique=headers.get(UNIQUE_HEADER),
        )

    def _body_with(self, arguments: Arguments) -> str:
        body = [*arguments, *self._body(json.loads)[2:]]
        return base64.b64encode(json.dumps(body).encode()).decode()

    def _body(self, read: Any) -> list[Any]:
        properties = self.payload["properties"]
        if self.payload.get("content-type") != JSON or properties.get("body_encoding") != "base64":
            raise UnreadableMessageError("(its body is not JSON)")
        try:
            body = read(base64.b64decode(self.payload["body"]))
        except (ValueError, TypeError, LookupError, RecursionError) as error:
            raise UnreadableMessageError(f"({type(error).__name__})") from None
        match body:
            case [list(), dict(), *_]:
                return list(body)
        raise UnreadableMessageError("(its body is no job's)")
