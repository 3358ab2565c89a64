"""Places at which a test may have the whole system killed, as a power cut would: DUEWATCH_CRASH_AT=place or place:n, the n-th time it is passed.

Off, as it always is but in tests, a place costs a comparison with None.
"""

import os
import signal

_wanted, _, _times = os.environ.get("DUEWATCH_CRASH_AT", "").partition(":")
_at = _wanted or None
_left = int(_times or 1)


def crash_point(place: str) -> None:
    """Kills the process group, where the environment says so."""
    global _left
    if _at is None or _at != place:
        return
    _left -= 1
    if _left == 0:
        os.killpg(os.getpgrp(), signal.SIGKILL)
