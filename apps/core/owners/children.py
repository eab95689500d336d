"""Children of a worker's main process, which speaks for them: when it dies, they must not go on."""

import ctypes
import os
import signal
import sys
import threading
from typing import Final

from .identity import is_adopted, parent_of_adopted

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
LOOK_EVERY: Final = 0.5  # seconds, where the kernel has no such service


def die_with_parent() -> None:
    """Have this process killed when its parent ends, even by kill -9: its job is rescued, and must not run on."""
    if not is_adopted():
        return
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    else:
        threading.Thread(target=_watch_parent, daemon=True).start()
    if os.getppid() != parent_of_adopted():  # it ended before the kernel was asked
        os.kill(os.getpid(), signal.SIGKILL)


def _watch_parent() -> None:
    while os.getppid() == parent_of_adopted():
        threading.Event().wait(LOOK_EVERY)
    os.kill(os.getpid(), signal.SIGKILL)
