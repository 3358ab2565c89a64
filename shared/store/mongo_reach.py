"""What a server that goes away means to who asks it, and inserts that outlive it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from pymongo.errors import AutoReconnect, BulkWriteError, ConnectionFailure, ExecutionTimeout, WTimeoutError

from shared.errors import Unavailable

DUPLICATE = 11000
ENDING_S = 2.0  # that a process which ends may wait for a server
_DEADLINE_S = 15.0  # for a write whose server goes away; then the caller tries again, or gives up
_PAUSE_S = 0.1
AWAY = (AutoReconnect, ConnectionFailure, ExecutionTimeout, WTimeoutError)  # the server, not what was asked of it
_GONE = "The store does not answer; try again"
_AT_ONCE = 1000
_T = TypeVar("_T")


@asynccontextmanager
async def reaching() -> AsyncIterator[None]:
    """A server that does not answer is a moment's trouble, to whoever waits for it."""
    try:
        yield
    except AWAY:
        raise Unavailable(_GONE) from None


async def insisting(do: Callable[[], Awaitable[_T]]) -> _T:
    """Does it again where nobody knows what became of it; Unavailable where the server stays away."""
    end = time.monotonic() + _DEADLINE_S
    while True:
        try:
            return await do()
        except AWAY:
            if time.monotonic() > end:
                raise Unavailable(_GONE) from None
            await asyncio.sleep(_PAUSE_S)


async def insert(collection: Any, documents: Sequence[dict[str, Any]]) -> None:
    """Inserts what is not there yet."""
    for at in range(0, len(documents), _AT_ONCE):
        await insisting(partial(_insert, collection, documents[at : at + _AT_ONCE]))


async def _insert(collection: Any, documents: Sequence[dict[str, Any]]) -> None:
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if any(one["code"] != DUPLICATE for one in error.details["writeErrors"]):
            raise
        if error.details["writeConcernErrors"]:  # written here, but perhaps nowhere else: known when it comes again
            raise WTimeoutError("majority") from None
