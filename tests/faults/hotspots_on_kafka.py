"""Workers of hot-spots as processes of their own on real servers, and what other services would tell them."""

import asyncio
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.structs import TopicPartition

from shared.bus.kafka import KafkaBus
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.clock import SystemClock
from shared.events.envelope import Payload
from shared.events.hotspots import HotspotClosed, HotspotDetected
from shared.events.matches import Match, MatchReviewed, SignalRef
from shared.events.signals import ExposureSignal, Signal, SignalPublished, SignalWithdrawn, Source
from shared.events.suppliers import Profile, SourcedGood, SupplierRegistered
from shared.ids import RandomIds, derive
from shared.kernel.aggregate import Aggregate, Cause, Decided, Item, Message
from shared.kernel.journal import JournalRow
from shared.kernel.kernel import Kernel
from shared.security.roles import Principal, Role
from shared.security.tokens import LocalIssuer
from shared.settings import Settings
from shared.store.port import Collection
from tests.faults.memory import Memory, MemoryStore
from tests.infra.local import free_ports

P = 4
_KINDS = {"signals": "finding", "suppliers": "supplier", "matches": "match"}


def _tell(_state: object, message: Message, _now: object) -> Decided[dict[str, str]]:
    return Decided({}, [message.body])


_STAND_INS = {kind: Aggregate(kind=kind, state=dict, decide=_tell, key=None) for kind in _KINDS.values()}


class Worker:
    """`duewatch serve hotspots`."""

    def __init__(self, world: "World", number: int, instance: str | None, hotspots: str) -> None:
        self.folder, self.number = world.folder / f"worker-{number}", number
        (self.port,) = free_ports(1)
        settings = Settings.read(
            {},
            data=self.folder,
            bus=world.bus_url,
            store=world.store_url,
            port=self.port,
            partitions=P,
            hotspots=hotspots,
            instance=instance,
        )
        self.log = (world.folder / f"worker-{number}.log").open("ab")
        command = [sys.executable, "-m", "services.cli.main", "serve", "hotspots"]
        self.process = subprocess.Popen(command, env=settings.environment(), stdout=self.log, stderr=self.log)

    async def get(self, path: str, tenant: str = "default") -> httpx.Response:
        tokens = LocalIssuer(self.folder / "keys")
        token = tokens.mint(Principal(subject="ada", tenant=tenant, roles=frozenset({Role.ANALYST})), 600)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", headers={"Authorization": f"Bearer {token}"}) as client:
            return await client.get(path)

    async def status(self) -> int:
        """Of its readiness; 0 where nobody answers."""
        try:
            return (await self.get("/health/ready")).status_code
        except httpx.TransportError:
            return 0

    async def ready(self, within_s: float = 60) -> None:
        async with asyncio.timeout(within_s):
            while await self.status() != 200:
                assert self.process.poll() is None, Path(self.log.name).read_text()[-4000:]
                await asyncio.sleep(0.1)

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(30)
        self.log.close()
        return code


class SpoilingBus(KafkaBus):
    """Publishes `spoiled` in place of an event's data, where it is set."""

    spoiled: bytes | None = None

    async def publish(self, rows: Sequence[JournalRow]) -> None:
        await super().publish([msgspec.structs.replace(row, data=self.spoiled or row.data) for row in rows])


class World:
    """See `world`. A tenant of its own keeps its documents apart from those of other runs."""

    def __init__(self, folder: Path, kafka: str, store_url: str) -> None:
        run = uuid.uuid4().hex[:12]
        self.folder, self.store_url, self.tenant = folder, store_url.replace("/?", f"/t{run}?"), f"test-{run}"
        self.bus_url = f"kafka://{kafka}/?prefix=test-{run}."
        self.settings = KafkaSettings.parse(self.bus_url)
        self.bus = SpoilingBus(self.settings, P)
        memory = Memory()
        store = MemoryStore(memory, "stand-in", [Collection(kind) for kind in _KINDS.values()])
        self.kernel = Kernel("intelligence", store, self.bus, SystemClock(), RandomIds())
        self.workers: list[Worker] = []
        self._sent = 0

    def worker(self, instance: str | None = None, hotspots: str = "faust") -> Worker:
        """One more, under a name of its own if one is given; `hotspots`: who counts."""
        made = Worker(self, len(self.workers), instance, hotspots)
        self.workers.append(made)
        return made

    async def publish(self, topic: str, subject: str, payload: Payload) -> None:
        self._sent += 1
        item = Item(_STAND_INS[_KINDS[topic]], self.tenant, subject, Message(payload, Cause(derive("cause", str(self._sent)), "test")))
        await self.kernel.execute(item)

    async def finding(self, n: int, hs: str = "520100", *, live: bool = True) -> None:
        source = Source(kind="finding", finding_id=f"fnd_{n}", indicators=("debt_bondage",))
        signal_ = Signal(subject=ExposureSignal(hs=hs, origin="TM"), source=source, digest=str(n))
        await self.publish("signals", f"fnd_{n}", SignalPublished(signal=signal_) if live else SignalWithdrawn(signal=signal_))

    async def supplier(self, n: int, hs: str = "520100") -> None:
        profile = Profile(name=f"Mill {n}", country="TM", goods=(SourcedGood(hs=hs, origin="TM"),))
        await self.publish("suppliers", f"sup_{n}", SupplierRegistered(profile=profile))

    async def confirmed(self, n: int, listed: str) -> None:
        signal_ = SignalRef(id=f"{listed}:{n}", source=Source(kind="list_entry", list=listed, uid=str(n)))
        match = Match(supplier_id=f"sup_{n}", signal=signal_, about="party", state="confirmed")
        await self.publish("matches", f"mat_{n}", MatchReviewed(match=match))

    async def forget(self) -> None:
        """The group's offsets go back to the beginning; it must have no members."""
        consumer = AIOKafkaConsumer(**self.settings.connection(), group_id=f"{self.settings.prefix}hotspots", enable_auto_commit=False)
        places = [TopicPartition(self.settings.prefix + topic, p) for topic in _KINDS for p in range(P)]
        consumer.assign(places)
        await consumer.start()
        await consumer.commit(dict.fromkeys(places, 0))
        await consumer.stop()

    async def clear(self) -> None:
        """Its topics go."""
        admin = AIOKafkaAdminClient(**self.settings.connection())
        await admin.start()
        await admin.delete_topics([t for t in await admin.list_topics() if t.startswith(self.settings.prefix)])
        await admin.close()

    async def told(self, count: int, within_s: float = 30) -> list[HotspotDetected | HotspotClosed]:
        """What stands on `hotspots`, once there are so many and no more come for a moment; each event once, whoever told it.

        A worker that begins to publish first tells what it finds untold, and may find what another is just telling: the same event, by its id.
        """
        consumer = await self.bus.consumer("test-told", ["hotspots"])
        found: dict[str, Payload] = {}
        try:
            async with asyncio.timeout(within_s):
                while len(found) < count:
                    found |= {r.meta.id: r.payload() for r in await consumer.poll(100, 1.0)}
            found |= {r.meta.id: r.payload() for r in await consumer.poll(100, 1.5)}
        except TimeoutError:
            pass
        finally:
            await consumer.close()
        return [one for one in found.values() if isinstance(one, HotspotDetected | HotspotClosed)]


@pytest.fixture
async def world(tmp_path: Path, kafka: str, mongo: str) -> AsyncIterator[World]:
    """Topics of its own, and workers as they are asked for."""
    made = World(tmp_path, kafka, mongo)
    await KafkaTopics(made.settings, P).apply()
    try:
        yield made
    finally:
        for worker in made.workers:
            worker.end(signal.SIGKILL)
            print(f"worker {worker.number}:", Path(worker.log.name).read_text())  # shown where a test fails
        await made.clear()
        await made.bus.close()
