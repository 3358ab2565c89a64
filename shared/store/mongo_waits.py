"""Python 3.11's wait_for loses a lock of PyMongo's for ever; until 3.12 the driver is given the one that does not.

The driver waits for a server, or for a connection, by a condition. Under 3.11 wait_for runs that in a task of its own, which must take the
condition's lock again when time is up; who is cancelled meanwhile leaves that task behind. The lock is then released by one that does not have it,
and taken by one that nobody waits for: whatever asks the client afterwards waits without end. Seen here where MongoDB was killed under load.
https://github.com/python/cpython/issues/86766
"""

import asyncio
import sys
from collections.abc import Awaitable
from typing import TypeVar

import pymongo.lock

_T = TypeVar("_T")


async def wait_for(awaitable: Awaitable[_T], timeout: float | None) -> _T:  # noqa: ASYNC109  # the signature it stands in for
    """As Python 3.12 does it: in the task of who waits."""
    async with asyncio.timeout(timeout):
        return await awaitable


if sys.version_info < (3, 12):
    setattr(pymongo.lock, "wait_for", wait_for)  # noqa: B010  # a name that the module does not offer
