"""Where the lines of supervised processes go: a bounded log file each, and the terminal."""

import sys
from pathlib import Path
from typing import TextIO

LOG_BYTES = 5_000_000  # per process; then the file becomes <name>.log.1 and a new one begins
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
LONGEST_NAME = 13


class Log:
    """One process's log file. A full disk loses lines and ends nothing."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.last_line = ""

    def write(self, lines: list[str]) -> None:
        self.last_line = next((line for line in reversed(lines) if line.strip()), self.last_line)
        try:
            with self.path.open("a") as file:
                file.writelines(f"{line}\n" for line in lines)
                size = file.tell()
            if size > LOG_BYTES:
                self.path.replace(self.path.with_suffix(".log.1"))
        except OSError:
            pass


class Terminal:
    """What the user watches. When it is closed, or a pipe's reader ends, nothing is shown any more."""

    def __init__(self, stream: TextIO | None = sys.stdout) -> None:
        self._stream = stream
        self._coloured = stream is not None and stream.isatty()
        self._names: list[str] = []

    def say(self, text: str) -> None:
        self._write(f"{text}\n")

    def show(self, name: str, lines: list[str]) -> None:
        """Lines of one process, with its name before each."""
        if name not in self._names:
            self._names.append(name)
        prefix = f"{name:<{LONGEST_NAME}} |"
        if self._coloured:
            colour = COLOURS[self._names.index(name) % len(COLOURS)]
            prefix = f"\033[{colour}m{prefix}\033[0m"
        self._write("".join(f"{prefix} {line}\n" for line in lines))

    def _write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            self._stream = None
