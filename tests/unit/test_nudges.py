"""Nudges within a process; between processes they are part of the embedded adapter's tests."""

import asyncio
import gc
from pathlib import Path

from shared.bus.nudge import Nudges, Waiter


async def test_a_waiter_that_nobody_holds_any_more_is_forgotten(tmp_path: Path) -> None:
    """Each question that waits has one of its own; nobody says when it is done."""
    nudges = Nudges(tmp_path, "screening")
    held = Waiter(nudges)
    for _ in range(10):
        Waiter(nudges)
    gc.collect()
    assert len(nudges._waiters) == 1
    nudges.send()
    await asyncio.wait_for(held.wait(30.0), 1.0)
    nudges.close()
