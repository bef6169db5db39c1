"""Where the command line is."""

import os
import sys
import sysconfig


def command() -> list[str]:
    """The command line as the beginning of a command: this Python with this package."""
    return [sys.executable, "-m", "tamis"]


def script() -> str:
    """The command line as one file that can be run: plugins are looked at in a process of their own."""
    path = os.path.join(sysconfig.get_path("scripts"), "tamis")
    return next((path + ending for ending in ("", ".exe") if os.path.exists(path + ending)), "tamis")
