"""A TLS endpoint in front of a server that speaks none."""

import contextlib
import select
import socket
import ssl
import threading
from pathlib import Path

import trustme

from .private_server import HOST


class TlsEndpoint:
    """Passes bytes on to `target_port`. `ca_file` is the PEM file of the authority that its certificate is from."""

    def __init__(self, folder: Path, target_port: int) -> None:
        authority = trustme.CA()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(HOST).configure_cert(context)
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        self.stranger_file = folder / "stranger.pem"  # of an authority that has nothing to do with it
        trustme.CA().cert_pem.write_to_path(str(self.stranger_file))
        self._context = context
        self._target = (HOST, target_port)
        self._listener = socket.create_server((HOST, 0), backlog=64)
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError):
            outside = self._context.wrap_socket(plain, server_side=True)
            inside = socket.create_connection(self._target)
            self._open += [outside, inside]
            # A TLS connection is not for two threads at once, so one thread serves both ways.
            outside.settimeout(0.0)
            with outside, inside:
                self._pass_on(outside, inside)

    def _pass_on(self, outside: ssl.SSLSocket, inside: socket.socket) -> None:
        while True:
            ready, _, _ = select.select([outside, inside], [], [])
            if outside in ready:
                try:
                    data = outside.recv(65536)
                except ssl.SSLWantReadError:
                    continue
                if not data:
                    return
                inside.sendall(data)
                while outside.pending():
                    inside.sendall(outside.recv(65536))
            if inside in ready:
                data = inside.recv(65536)
                if not data:
                    return
                outside.settimeout(5.0)
                outside.sendall(data)
                outside.settimeout(0.0)
