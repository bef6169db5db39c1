"""The command line: `tamis`, or `python -m tamis`."""

import signal
import sys

from tamis._program import end_with_parent, script


def main() -> int:
    """Runs the command line of this process and returns its exit code."""
    end_with_parent()
    from tamis import _native

    # Python hears Ctrl-C and would tell nobody while native code runs.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    return _native.main([script(), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
