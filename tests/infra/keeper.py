"""Runs one program, mostly a server, for as long as the process that asked for it lives; a script of its own, quick to start, with nothing imported from here.

    python -I -S keeper.py ASKER LOGFILE COMMAND...

ASKER is our parent's process id; the server's is the only thing printed. When the asker is gone, by `kill -9` too, the server is killed; when the keeper itself is
killed, Linux kills the server. A stopped (SIGSTOP) server dies of it just the same. In a session of its own, so Ctrl-C goes to the asker alone.
"""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys

_LOOK = 0.5  # seconds between two looks at who our parent is
_PR_SET_PDEATHSIG = 1  # prctl(2)


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def main(asker: str, log: str, *command: str) -> int:
    with open(log, "ab") as output:
        # A keeper has one thread, which lives as long as it does: both what preexec_fn and a death signal (bound to the thread) need.
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, preexec_fn=_die_with_parent)
    try:
        with contextlib.suppress(BrokenPipeError):  # an asker that is gone already is noticed below
            print(server.pid, flush=True)
        while os.getppid() == int(asker):
            with contextlib.suppress(subprocess.TimeoutExpired):
                return server.wait(_LOOK)
        return 0
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
