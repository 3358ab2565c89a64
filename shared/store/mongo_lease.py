"""Who of several processes does a piece of work: a document that names its holder, until a time by the server's clock.

The holder's own clock only says how long since it last asked, so clocks that differ do no harm.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import Any

from pymongo import ReturnDocument

from shared.errors import Unavailable
from shared.kernel.fence import fenced
from shared.store.mongo_reach import reaching

log = logging.getLogger("duewatch.lease")
_HELD_S = 10.0
_MARGIN_S = 2.0  # so long before the end of it the holder stops, should it hear nothing
_LOOK_S = 1.0
_RENEW_S = 3.0


class Lease:
    """One piece of work of one process. `holder`: its name; one that comes back under it goes on at once, and one that is still there under
    the same name, by mistake, leaves the work to who came later."""

    def __init__(self, database: Any, name: str, holder: str) -> None:
        self._leases, self._name, self._holder = database["lease"], name, holder
        self._run = secrets.token_hex(8)
        self._had = False
        self._until = 0.0

    async def take(self) -> bool:
        """Takes it where it is free, or keeps it; whether it is this process's now."""
        asked = time.monotonic()
        same = {"$eq": ["$run", self._run]} if self._had else {"$eq": ["$holder", self._holder]}
        free = {"$or": [same, {"$lte": ["$until", "$$NOW"]}, {"$eq": [{"$type": "$holder"}, "missing"]}]}
        taken = {"holder": self._holder, "run": self._run, "until": {"$add": ["$$NOW", int(_HELD_S * 1000)]}}
        change = {name: {"$cond": [free, value, f"${name}"]} for name, value in taken.items()}
        async with reaching():
            found = await self._leases.find_one_and_update(
                {"_id": self._name}, [{"$set": change}], upsert=True, return_document=ReturnDocument.AFTER
            )
        mine = bool(found["run"] == self._run)
        if self._had and not mine and found["holder"] == self._holder:
            log.error("another process runs under the name of this one, which leaves %s to it: give each a name of its own", self._name)
        self._had = self._had or mine
        self._until = asked + _HELD_S - _MARGIN_S if mine else 0.0
        return mine

    async def give_back(self) -> None:
        """Another may take it now."""
        self._until = 0.0
        async with reaching():
            await self._leases.delete_one({"_id": self._name, "run": self._run})

    def check(self) -> None:
        """Unavailable where it may be another's by now: asked before each commit of the work."""
        if time.monotonic() >= self._until:
            raise Unavailable("This work may be another process's now")

    async def hold(self, work: Callable[[], Awaitable[None]]) -> None:
        """Waits until it is this process's turn, then works as long as it is, and ends with the work."""
        while True:
            if await self._taken():
                break
            await asyncio.sleep(_LOOK_S)
        with fenced(self.check):
            doing = asyncio.ensure_future(work())
        keeping = asyncio.create_task(self._keep())
        try:
            await asyncio.wait({doing, keeping}, return_when=asyncio.FIRST_COMPLETED)
            if not doing.done():
                log.warning("%s goes to another process", self._name)
        finally:
            for task in (doing, keeping):
                task.cancel()
            await asyncio.gather(doing, keeping, return_exceptions=True)
            try:
                async with asyncio.timeout(_MARGIN_S):
                    await self.give_back()
            except (Unavailable, TimeoutError):
                log.warning("%s cannot be given back now", self._name)
        if not doing.cancelled():
            doing.result()

    async def _taken(self) -> bool:
        try:
            return await self.take()
        except Unavailable:
            return False

    async def _keep(self) -> None:
        """Until it is lost, or may be."""
        while (left := self._until - time.monotonic()) > 0:
            await asyncio.sleep(min(_RENEW_S, left))
            try:
                async with asyncio.timeout(max(0.0, self._until - time.monotonic())):
                    await self.take()
            except (Unavailable, TimeoutError):
                continue
