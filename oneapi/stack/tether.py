"""Runs a program that dies with the process which asked for it: `python -I -S tether.py PARENT -- PROGRAM ARGUMENT...`.

PARENT is the asking process's id. This decides that nobody outlives a supervisor killed with SIGKILL, and must know
nothing of what it runs. It is a program of its own, because doing this between fork and exec inside a threaded Python
can hang.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Binds this process to its parent, then becomes the program; exits 126 when the parent is gone already."""
    parent, program = int(arguments[0]), arguments[2:]
    if sys.platform == "linux":
        # The kernel keeps this across exec, as long as the program is not set-uid.
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(126)
    os.execvp(program[0], program)  # noqa: S606 - becoming the program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
