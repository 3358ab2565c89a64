"""How a command is put under a keeper, so that it does not outlive us."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

_KEEPER = Path(__file__).with_name("keeper.py")


def kept(command: Sequence[str], log: Path) -> list[str]:
    """A command that runs `command` until it ends or this process does, with all that it says appended to `log`; see keeper.py."""
    return [sys.executable, "-I", "-S", str(_KEEPER), str(os.getpid()), str(log), *command]
