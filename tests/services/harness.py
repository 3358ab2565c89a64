"""One service on real files, driven step by step: what its neighbours would send is published by hand."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx

from services.runtime.node import Node
from shared.clock import FakeClock
from shared.events.envelope import Payload
from shared.events.topics import TOPICS
from shared.http.application import create_app
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Cause, Decided, Item, Message
from shared.kernel.reactor import Reactor
from shared.kernel.service import Service
from shared.security.roles import Principal, Role
from shared.security.tokens import LocalIssuer
from shared.settings import Settings


def _tell(_state: Any, message: Message, _now: Any) -> Decided[Any]:
    return Decided({}, [message.body])


def _stand_in(kind: str) -> Aggregate[Any]:
    return Aggregate(kind=kind, state=dict, decide=_tell)


class Harness:
    """See `harness`."""

    def __init__(self, folder: Path, service: Service, *also: Service, **settings: Any) -> None:
        self.clock, self.service, self.folder = FakeClock(), service, folder
        self._names = [service.name, *(s.name for s in also)]
        owners = sorted({t.owner for t in TOPICS.values()} - set(self._names))
        self._neighbours = {name: Service(name, tuple(_stand_in(k) for k in _KINDS)) for name in owners}
        self.node = Node(Settings.read({}, data=folder, **settings), [service, *also, *self._neighbours.values()], "test", clock=self.clock)
        self.ctx = self.node.contexts[service.name]
        self.tokens = LocalIssuer(folder / "keys", clock=lambda: self.clock.now().timestamp())
        self.app = create_app(service.name, "test", self.tokens)
        for one in (service, *also):
            for router in one.api(self.node.contexts[one.name]):
                self.app.include_router(router)
        self.reactors: list[Reactor] = []
        self._clients: list[httpx.AsyncClient] = []
        self._sent = 0

    async def start(self) -> None:
        self.reactors = self.node.reactors(self._names)
        for reactor in self.reactors:
            await reactor.start()

    def client(self, *roles: str, subject: str = "ada", tenant: str = "default") -> httpx.AsyncClient:
        """A caller with these roles."""
        principal = Principal(subject=subject, tenant=tenant, roles=frozenset(Role(r) for r in roles))
        token = self.tokens.mint(principal, 28_800)
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://test", headers={"Authorization": f"Bearer {token}"})
        self._clients.append(client)
        return client

    async def publish(
        self, topic: str, payload: Payload, *, subject: str, tenant: str = "default", kind: str = "", partitionkey: str = ""
    ) -> str:
        """What a neighbour's aggregate `subject` would tell on a topic; the event's id."""
        assert payload.topic == topic
        self._sent += 1
        aggregate = _stand_in(kind or _KINDS[0])
        cause = Cause(derive("cause", str(self._sent)), "test")
        kernel = self.node.contexts[TOPICS[topic].owner].kernel
        outcome = await kernel.execute(Item(aggregate, tenant, subject, Message(payload, cause)))
        assert outcome.changed
        return derive("evt", cause.id, aggregate.kind, tenant, subject, "0")

    async def step(self) -> int:
        """Runs the service's reactions until nothing waits, and the alarms that are due; how much there was."""
        total = 0
        while True:
            done = sum([await reactor.step(0) for reactor in self.reactors])
            done += sum([await waker.step() for waker in self.node.wakers(self._names)])
            total += done
            if not done:
                return total

    async def told(self, topic: str) -> list[Payload]:
        """All that the service has published on a topic, in order."""
        consumer = await self.ctx.bus.consumer("test-told", [topic])
        found: list[Payload] = []
        while records := await consumer.poll(500, 0):
            found += [r.payload() for r in records]
        await consumer.close()
        return found

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        for reactor in self.reactors:
            if reactor.consumer:
                await reactor.consumer.close()
        await self.node.close()


_KINDS = ("thing", "supplier", "entry", "finding", "release", "match", "screening", "assessment", "audit", "case")


@contextlib.asynccontextmanager
async def harness(folder: Path, service: Service, *also: Service, **settings: Any) -> AsyncIterator[Harness]:
    """A started service on a folder of its own, and others that it is to run with."""
    h = Harness(folder, service, *also, **settings)
    await h.start()
    try:
        yield h
    finally:
        await h.close()
