"""One running process with its output, from its start to its burial."""

import contextlib
import os
import signal
import subprocess

from .command import Command

LONGEST_LINE = 1 << 16  # bytes


class LiveProcess:
    """A process in a session of its own, so that the terminal's Ctrl-C does not reach it."""

    def __init__(self, command: Command) -> None:
        """Raises OSError when the system has no room for another process."""
        reading, writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                command.tethered(),
                env=dict(command.environment),
                cwd=command.folder,
                stdin=subprocess.DEVNULL,
                stdout=writing,
                stderr=writing,
                start_new_session=True,
            )
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        os.set_blocking(reading, False)
        self.pid = self._process.pid
        self.output = reading
        self._unfinished = b""

    def read(self) -> list[str] | None:
        """The lines that it has said since the last call; None when there was nothing more to read."""
        try:
            received = os.read(self.output, LONGEST_LINE)
        except BlockingIOError:
            return None
        *whole, self._unfinished = (self._unfinished + received).split(b"\n")
        if self._unfinished and (not received or len(self._unfinished) > LONGEST_LINE):
            whole, self._unfinished = [*whole, self._unfinished], b""
        lines = [line.decode(errors="replace").rstrip("\r") for line in whole]
        return lines if received or lines else None

    def last_words(self) -> list[str]:
        """A last line without an end, which a process that has ended will not finish."""
        line, self._unfinished = self._unfinished, b""
        return [line.decode(errors="replace")] if line else []

    def has_ended(self) -> bool:
        """Whether its main process is gone; it is not yet collected, so its number is still its own."""
        try:
            return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:
            return True

    def signal(self, number: signal.Signals) -> None:
        """Sends `number` to the main process, or SIGKILL to all of its group."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            (os.killpg if number == signal.SIGKILL else os.kill)(self.pid, number)

    def bury(self) -> None:
        """Ends what an ended main process has left behind, and collects it."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        os.close(self.output)
