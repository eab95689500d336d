"""Private ports of this machine's loopback, the same from run to run where nobody has taken them since."""

import json
import socket
from pathlib import Path

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on `port` of the loopback now."""
    with socket.socket() as candidate:
        candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            candidate.bind((HOST, port))
        except (OSError, OverflowError):
            return False
        return True


def answers(port: int) -> bool:
    """Whether somebody accepts connections on `port` of the loopback."""
    try:
        with socket.create_connection((HOST, port), timeout=1):
            return True
    except OSError:
        return False


def choose(state_dir: Path, names: tuple[str, ...]) -> dict[str, int]:
    """A free port for each name: the remembered one if it is still free, else a new one."""
    remembered = _remembered(state_dir)
    with _Reserved() as reserved:
        chosen = {name: reserved.port(remembered.get(name)) for name in names}
    (state_dir / "ports.json").write_text(json.dumps(remembered | chosen))
    return chosen


def _remembered(state_dir: Path) -> dict[str, int]:
    try:
        ports = json.loads((state_dir / "ports.json").read_text())
        return {str(name): int(port) for name, port in ports.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}  # never written, or cut short by a full disk: then new ports are chosen


class _Reserved:
    """Sockets that are bound while the ports of one call are chosen, so that no two are the same."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> "_Reserved":
        return self

    def __exit__(self, *_: object) -> None:
        for reserved in self._sockets:
            reserved.close()

    def port(self, wish: int | None) -> int:
        reserved = socket.socket()
        self._sockets.append(reserved)
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            reserved.bind((HOST, wish or 0))
        except (OSError, OverflowError):
            reserved.bind((HOST, 0))
        return int(reserved.getsockname()[1])
