"""Who steps back has less of a busy processor, whichever way the kernel shares it out."""

import os
import signal
import subprocess
from pathlib import Path

from tests.infra.priority import NICE, step_back


def test_a_process_and_its_session_step_back() -> None:
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        session = Path(f"/proc/{process.pid}/autogroup")
        before = session.read_text().split() if session.exists() else []
        step_back(process.pid)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == NICE
        if before[-1:] == ["0"]:
            assert session.read_text().split()[-1] == str(NICE)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()


def test_one_that_has_ended_is_no_trouble() -> None:
    ended = subprocess.Popen(["true"], start_new_session=True)
    ended.wait()
    step_back(ended.pid)
