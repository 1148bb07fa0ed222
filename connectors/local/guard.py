"""What stands between supervisor and component: it ties the one's life to the other's, then becomes the component.

Run as ``python -I -S guard.py SUPERVISOR_PID USER|- PROGRAM ARGUMENTS...``; it imports nothing of this project. It is a
program of its own because code between fork and exec is unsafe in a process with threads.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main(argv: list[str]) -> None:
    """Change the account if asked, have the kernel kill this process with its parent, and become the program."""
    parent, user, *program = argv
    if user != "-" and os.geteuid() == 0:
        account = pwd.getpwnam(user)
        os.initgroups(user, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":
        # After the change of account: that would clear it. SIGKILL, because nothing may outlive a killed supervisor.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(parent):
            sys.exit("the supervisor is gone")
    os.execvpe(program[0], program, os.environ)  # noqa: S606 - becoming the program is its purpose


if __name__ == "__main__":
    main(sys.argv[1:])
