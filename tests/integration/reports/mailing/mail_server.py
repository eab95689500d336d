"""A real SMTP server in a thread, which keeps what it has taken and refuses what it is told to."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

OK = "250 OK"
logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd logs every line that it reads


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    recipients: tuple[str, ...]
    content: bytes

    @property
    def message(self) -> EmailMessage:
        parsed = message_from_bytes(self.content, policy=policy.default)
        assert isinstance(parsed, EmailMessage)
        return parsed

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])

    @property
    def attachments(self) -> dict[str, bytes]:
        return {str(part.get_filename()): part.get_payload(decode=True) for part in self.message.iter_attachments()}

    @property
    def text(self) -> str:
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())


class MailServer:
    """`received` is what the server has answered with 250. After `stop` nobody listens on `port` until `start`."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.connections = 0
        self.answer_to_recipient: Callable[[str], str] = lambda _: OK
        self.answer_to_data: Callable[[Received], str] = lambda _: OK  # what is taken; "" hangs up
        self.password: str | None = None  # that it asks for
        self.port = 0
        self.start()

    def start(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._server = self._loop.run_until_complete(self._loop.create_server(self._session, "127.0.0.1", self.port))
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        if self._loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _session(self) -> SMTP:
        self.connections += 1
        return SMTP(
            self,
            hostname="localhost",
            loop=self._loop,
            authenticator=self._authenticate if self.password else None,
            auth_require_tls=False,
        )

    def _authenticate(self, *_: object) -> AuthResult:
        return AuthResult(success=False, handled=False)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's hook
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        answer = self.answer_to_recipient(address)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        mail = Received(recipients=tuple(envelope.rcpt_tos), content=envelope.original_content or b"")
        answer = self.answer_to_data(mail)
        if not answer:
            assert server.transport
            server.transport.abort()
        if answer == OK:
            self.received.append(mail)
        return answer or "421 Gone"
