"""A real SMTP server in a thread, which keeps what it accepts and refuses what it is told to."""

import socket
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.controller import Controller


class MailServer:
    def __init__(self) -> None:
        self.received: list[EmailMessage] = []  # in the order of arrival, repeats included
        self.refused: set[str] = set()  # addresses that it takes nothing for
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)

    def __enter__(self) -> "MailServer":
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()

    def ids(self) -> list[str]:
        return [message["Message-ID"] for message in self.received]

    def recipients(self) -> list[str]:
        return [message["To"] for message in self.received]

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's names
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if address in self.refused:
            return f"550 No such user here: {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.received.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=policy.default)))
        return "250 OK"
