"""Where the command line is."""

import os
import signal
import sys
import sysconfig


def command() -> list[str]:
    """The command line as the beginning of a command: this Python with this package."""
    return [sys.executable, "-m", "tamis"]


def script() -> str:
    """The command line as one file that can be run: plugins are looked at in a process of their own."""
    path = os.path.join(sysconfig.get_path("scripts"), "tamis")
    return next((path + ending for ending in ("", ".exe") if os.path.exists(path + ending)), "tamis")


PARENT = "TAMIS_PARENT"
"""The variable in which a command is told the process that it is to end with."""

PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Has the system end this process with the one that asked for it: when an engine starts a task again whose worker was killed,
    what the worker had started must not be writing still. Systems other than Linux have no such thing."""
    parent = os.environ.pop(PARENT, None)
    if parent is None or sys.platform != "linux":
        return
    import ctypes

    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):
        # It was killed before this could be asked for.
        os.kill(os.getpid(), signal.SIGKILL)
