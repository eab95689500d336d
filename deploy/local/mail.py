"""A mail server that delivers nothing: it writes each mail it receives to a file.

Run as `python deploy/local/mail.py HOST PORT FOLDER`; a mail is complete once it is in FOLDER/new. It imports nothing
of this project, so that it starts fast.
"""

import asyncio
import contextlib
import hashlib
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST = 25_000_000  # bytes of one mail


class Catcher:
    """Writes mails to `folder`/new, each with its envelope in two header lines of its own."""

    def __init__(self, folder: Path) -> None:
        self._unfinished = folder / "tmp"
        self._finished = folder / "new"
        for path in (folder, self._unfinished, self._finished):
            path.mkdir(mode=0o700, exist_ok=True)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """aiosmtpd's hook for a received mail; returns the SMTP reply."""
        try:
            self.keep(envelope.mail_from or "", envelope.rcpt_tos, envelope.original_content or b"")
        except OSError as error:
            return f"452 The mail cannot be kept: {error.strerror}"
        return "250 OK"

    def keep(self, sender: str, recipients: list[str], content: bytes) -> Path:
        """The file that holds the mail."""
        now = datetime.now(UTC)
        digest = hashlib.sha256(content + now.isoformat().encode()).hexdigest()[:8]
        name = f"{now:%Y%m%dT%H%M%S.%fZ}-{digest}.eml"
        lines = f"X-Envelope-From: {sender}\r\nX-Envelope-To: {', '.join(recipients)}\r\n"
        unfinished = self._unfinished / name
        unfinished.write_bytes(lines.encode("utf-8", "replace") + content)
        return unfinished.replace(self._finished / name)


async def serve(host: str, port: int, folder: Path) -> None:
    loop = asyncio.get_running_loop()
    catcher = Catcher(folder)
    server = await loop.create_server(
        lambda: SMTP(catcher, hostname="localhost", data_size_limit=LARGEST, enable_SMTPUTF8=True, loop=loop),
        host,
        port,
    )
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    print(f"catching mails in {folder / 'new'}", flush=True)  # noqa: T201 - a program's output
    await stopped.wait()
    server.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
