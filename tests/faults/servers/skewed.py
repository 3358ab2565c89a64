"""`python -m tests.faults.servers.skewed SECONDS ...`: the command line on a machine whose clock is wrong by so many seconds.

Only the clock that tells the date is: what measures durations goes on as it is, as it does on such a machine.
"""

import datetime
import inspect
import sys
import time

from services.cli import main
from services.runtime import serving
from services.runtime.processes import MODULES, load

_ASKS = "datetime.now("


def skew(seconds: float) -> None:
    """For the whole process; every module of ours is loaded by then."""
    right = time.time
    time.time = lambda: right() + seconds

    class Skewed(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:  # type: ignore[override]
            return datetime.datetime.fromtimestamp(time.time(), tz)

    for name, module in list(sys.modules.items()):
        ours = name.startswith(("shared.", "services.")) and getattr(module, "datetime", None) is datetime.datetime
        if ours and _ASKS in inspect.getsource(module):
            module.__dict__["datetime"] = Skewed


if __name__ == "__main__":
    assert serving
    load(MODULES)
    skew(float(sys.argv.pop(1)))
    main.run()
