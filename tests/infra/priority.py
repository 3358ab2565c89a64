"""Who goes first where there are more processes that could run than processors: as containers' shares do, for processes on this machine."""

import contextlib
import os
import time
from pathlib import Path

NICE = 5  # about a third of the others' share
_TRIES, _PAUSE_S = 20, 0.11


def step_back(pid: int) -> None:
    """Gives a process, which leads a session and has just been started, less of a busy processor than others.

    Linux may share processors out between sessions before it looks at how nice their processes are: then the session's own value counts (sched(7),
    "The autogroup feature"), of which who is not root may set one each tenth of a second.
    """
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    session = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TRIES):
        try:
            session.write_text(str(NICE), encoding="ascii")
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        except OSError:  # another kernel, or the process has ended
            return
        else:
            return
