"""Holds one server for a whole test run: `python -m tests.infra.supervisor NAME FOLDER PID`.

It writes FOLDER/state.json once the server serves (`address`) or cannot be had (`error`), then waits for the end of process PID or a
SIGTERM, ends the server and removes FOLDER. So a server outlives the worker that asked for it first, and nothing outlives the run.
"""

import contextlib
import json
import math
import os
import select
import shutil
import signal
import sys
import threading
import time
import traceback
import types
from pathlib import Path

from tests.infra import Unavailable
from tests.infra.locks import tried

STATE = "state.json"


def main(name: str, folder: Path, owner: int) -> None:
    signal.signal(signal.SIGTERM, _end)
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    def watch() -> None:
        wait_for_end_of(owner)
        signal.pthread_kill(main_thread, signal.SIGTERM)  # aimed at the thread, so that it ends what that one waits for

    with tried(folder / "held") as free:
        if not free:  # an asker that died while we started has left another supervisor at work
            return
        with contextlib.ExitStack() as ending:
            ending.callback(_remove, folder)
            threading.Thread(target=watch, daemon=True).start()
            _write(folder, {"supervisor": os.getpid(), **_start(name, folder, ending)})
            while True:
                signal.pause()


def _start(name: str, folder: Path, ending: contextlib.ExitStack) -> dict[str, str]:
    try:
        from tests.infra import obtain  # here: the clients take half a second to import, the folder is ours by then

        server = obtain.started(name, folder)
    except Unavailable as error:
        return {"error": str(error)}
    except Exception:  # ours to mend; the askers show it, since the log goes with the folder
        return {"error": traceback.format_exc()}
    ending.callback(server.kill)
    return {"address": server.address}


def _write(folder: Path, state: dict[str, object]) -> None:
    part = folder / f".{STATE}"
    part.write_text(json.dumps(state), encoding="utf-8")
    part.rename(folder / STATE)


def _remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # the run's folder: whoever comes last removes it
        folder.parent.rmdir()


def wait_for_end_of(pid: int, patience: float = math.inf) -> None:
    """Returns when process `pid` has ended, somebody's unreaped child or not, or after `patience` seconds."""
    until = time.monotonic() + patience
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "pidfd_open"):
            with os.fdopen(os.pidfd_open(pid)) as handle:
                ending = select.poll()
                ending.register(handle, select.POLLIN)
                ending.poll(None if patience == math.inf else patience * 1000)
            return
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.2)


def _end(_number: int, _frame: types.FrameType | None) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a second one must not interrupt the clearing up
    raise SystemExit(0)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
