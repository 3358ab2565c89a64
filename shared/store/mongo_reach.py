"""What a server that goes away means to who asks it, and inserts that outlive it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from pymongo.errors import AutoReconnect, BulkWriteError, ConnectionFailure, ExecutionTimeout, WTimeoutError

from shared.errors import Unavailable

DUPLICATE = 11000
DEADLINE_S = 15.0  # for a write whose server goes away; then the caller tries again, or gives up
PAUSE_S = 0.1
AWAY = (AutoReconnect, ConnectionFailure, ExecutionTimeout, WTimeoutError)  # the server, not what was asked of it
GONE = "The store does not answer; try again"
_AT_ONCE = 1000


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """A server that does not answer is a moment's trouble, to whoever waits for it."""
    try:
        yield
    except AWAY:
        raise Unavailable(GONE) from None


async def insert(collection: Any, documents: Sequence[dict[str, Any]]) -> None:
    """Inserts what is not there yet, again where nobody knows what became of it; Unavailable where the server stays away."""
    for at in range(0, len(documents), _AT_ONCE):
        end = time.monotonic() + DEADLINE_S
        while not await _inserted(collection, documents[at : at + _AT_ONCE]):
            if time.monotonic() > end:
                raise Unavailable(GONE)
            await asyncio.sleep(PAUSE_S)


async def _inserted(collection: Any, documents: Sequence[dict[str, Any]]) -> bool:
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE for one in error.details["writeErrors"]):
            raise
        return not error.details["writeConcernErrors"]  # written here, but perhaps nowhere else: known when it comes again
    except AWAY:
        return False
    return True
