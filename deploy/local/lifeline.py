"""Becomes another command that gets a signal when the process which started it ends, even by kill -9.

Called by `Command.tethered`: lifeline.py SIGNAL PARENT_PID UID:GID|- COMMAND [ARGUMENT…]. It is a program of its
own and not subprocess's `preexec_fn`, which is unsafe beside threads. The kernel's offer exists on Linux only;
elsewhere the command simply runs.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main() -> None:
    death_signal, parent, owner, *command = sys.argv[1:]
    if owner != "-":
        uid, gid = map(int, owner.split(":"))
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    if sys.platform == "linux":  # after setuid, which would clear it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != int(parent):  # it ended before the kernel was asked
            sys.exit(1)
    try:
        os.execvp(command[0], command)  # noqa: S606 - a list, no shell
    except OSError as error:
        sys.exit(f"{command[0]} cannot be started: {error.strerror}")


main()
