"""Not waiting for a database that does not answer: PostgreSQL's client waits for as long as the system does."""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from django.db import OperationalError

# Asks a server whether it encrypts by GSSAPI. It answers with a letter, and logs nothing where one goes away then.
QUESTION: Final = bytes.fromhex("0000000804d21630")


def insist_on_an_answer(connection: Any, seconds: float) -> None:
    """Before a connection is made: raises OperationalError where nobody answers at its address in time."""
    address = _address(connection.settings_dict)
    if connection.connection is not None or address is None:
        return
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    try:
        with _connected(address, family, seconds) as asked:
            asked.sendall(QUESTION)
            asked.recv(1)
    except OSError as error:
        raise OperationalError(f"nobody answers at the database's address: {error}") from error


@contextmanager
def cut_off_after(connection: Any, seconds: float) -> Iterator[None]:
    """The connection breaks when this takes longer, with an OperationalError for whoever waits for it."""
    timer = threading.Timer(seconds, _cut, [connection])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _address(settings: dict[str, Any]) -> str | tuple[str, int] | None:
    """None where only the client library knows it."""
    host, port = str(settings.get("HOST") or ""), int(settings.get("PORT") or 5432)
    if not host or "," in host:
        return None
    return f"{host}/.s.PGSQL.{port}" if host.startswith("/") else (host, port)


def _connected(address: Any, family: int, seconds: float) -> socket.socket:
    if family == socket.AF_INET:
        return socket.create_connection(address, timeout=seconds)  # of IPv6, too
    made = socket.socket(family)
    made.settimeout(seconds)
    try:
        made.connect(address)
    except OSError:
        made.close()
        raise
    return made


def _cut(connection: Any) -> None:
    """Nothing more comes or goes; the file itself stays the client library's, which closes it."""
    with suppress(Exception), _same_socket(connection) as same:  # or it has been closed meanwhile
        same.shutdown(socket.SHUT_RDWR)


def _same_socket(connection: Any) -> socket.socket:
    return socket.socket(fileno=os.dup(connection.connection.pgconn.socket))
