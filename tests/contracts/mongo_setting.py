"""MongoDB as tests of the store use it: each handle a client of its own, as another process has."""

import gc
import secrets
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient

from shared.bus.port import Bus
from shared.kernel.journal import JournalRow
from shared.store.mongo import MongoStore, closed
from shared.store.port import Collection
from tests.contracts.store_behaviour import OTHERS, THINGS
from tests.faults.memory import Memory
from tests.faults.memory_bus import MemoryBus

Client = Callable[..., Any]


class OnMongo:
    """Each test has databases of its own; each handle a client of its own, as another process has."""

    def __init__(self, client: Client, uri: str) -> None:
        self.client, self._uri, self._memory = client, uri, Memory()
        self.prefix = f"t{secrets.token_hex(4)}_"
        self.clients: list[Any] = []
        self.stores: list[MongoStore] = []

    async def open(self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS)) -> tuple[MongoStore, Bus]:
        self.clients.append(self.client(self._uri))
        store = MongoStore(self.clients[-1], service, collections, database=f"{self.prefix}{service}")
        await store.migrate()
        self.stores.append(store)
        return store, MemoryBus(self._memory, service)

    async def forget(self, service: str, group: str) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        for store in self.stores:
            await store.close()
        for name in {store._database.name for store in self.stores}:
            await self.clients[0].drop_database(name)
        for client in self.clients:
            await closed(client)


@pytest.fixture(params=[AsyncMongoClient, AsyncIOMotorClient], ids=["pymongo", "motor"])
async def adapter(request: pytest.FixtureRequest, mongo: str) -> AsyncIterator[OnMongo]:
    found = OnMongo(request.param, mongo)
    yield found
    await found.close()
    gc.collect()  # here, where the warning of a socket left open is not an error


async def untold(store: MongoStore) -> list[str]:
    """What `recover` would tell: events of documents, in order."""
    told: list[str] = []

    async def tell(rows: Sequence[JournalRow]) -> None:
        told.extend(f"{r.subject} {r.version}.{r.n}" for r in rows)

    await store.recover(tell)
    return told
