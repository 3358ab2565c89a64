"""The driver's locks, where who waits for a server is cancelled."""

import asyncio
from contextlib import suppress

from pymongo.lock import _async_cond_wait, _async_create_condition, _async_create_lock

import shared.store.mongo_waits  # noqa: F401  # what is tested


async def test_a_lock_is_free_again_when_who_waited_is_cancelled() -> None:
    """Just when its time was up and another held the lock: the moment in which it was lost for ever."""
    lock = _async_create_lock()
    condition = _async_create_condition(lock)

    async def waits() -> None:
        async with lock:
            await _async_cond_wait(condition, 0.05)

    waiting = asyncio.create_task(waits())
    await asyncio.sleep(0)
    async with lock:
        await asyncio.sleep(0.1)  # its time is up, and it wants the lock back
        waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    await asyncio.sleep(0.01)
    assert not lock.locked()
    async with asyncio.timeout(1), lock:
        pass
