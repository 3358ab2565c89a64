"""Figures of the kernel by itself: reactions with one state write, and what bare inserts of as many bytes would cost."""

import asyncio
import secrets
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from services.runtime.deployment import topics_of
from services.runtime.node import Node
from shared.events.envelope import Record
from shared.events.matches import SupplierScreened
from shared.events.suppliers import Profile, SupplierRegistered
from shared.kernel.aggregate import Aggregate, Cause, Decided, Item, Message
from shared.kernel.reactor import Reaction, Reactor, cause_of
from shared.kernel.service import Service
from shared.settings import Settings
from tests.bench.figures import percentile, show
from tests.bench.runtimes import Runtime

_BATCH = 500
_LONGEST_S = 300


class _Seen(msgspec.Struct, frozen=True):
    name: str


def _register(_state: _Seen | None, message: Message, _now: datetime) -> Decided[_Seen]:
    return Decided(_Seen(message.body.profile.name), [message.body])


def _screen(_state: _Seen | None, message: Message, _now: datetime) -> Decided[_Seen]:
    profile = message.body.profile
    told = SupplierScreened(supplier_id=message.cause.source, supplier_version=1, profile=profile, status="active", matches=0)
    return Decided(_Seen(profile.name), [told])


SUPPLIER = Aggregate("supplier", _Seen, _register)
SCREENING = Aggregate("screening", _Seen, _screen)


async def event_throughput(n: int, settings: Settings) -> tuple[float, float]:
    """Events a second, and a processor second of this process, through one reaction that writes one new state and one event each, in batches of 500."""
    services = [Service("onboarding", (SUPPLIER,)), Service("screening", (SCREENING,))]
    if settings.distributed:
        await topics_of(settings).apply()
    async with asyncio.timeout(_LONGEST_S):
        node = Node(settings, services, "bench")
        kernel, ours = node.contexts["onboarding"].kernel, node.contexts["screening"].kernel
        for at in range(0, n, _BATCH):
            bodies = [SupplierRegistered(profile=Profile(name=f"Bench Supplier {i} Ltd", country="DE")) for i in range(at, at + _BATCH)]
            items = [Item(SUPPLIER, "default", f"sup_{at + i}", Message(b, Cause(f"c{at + i}", "bench"))) for i, b in enumerate(bodies)]
            await kernel.apply_many(items)

        async def react(records: Sequence[Record]) -> list[Item]:
            return [Item(SCREENING, r.meta.tenant, r.meta.subject, Message(r.payload(), cause_of(r))) for r in records]

        reactor = Reactor(ours, Reaction("bench", ("suppliers",), react, _BATCH))
        await reactor.start()
        began, spent, done = time.perf_counter(), time.process_time(), 0
        while done < n:
            done += await reactor.step(1)
        took, spent = time.perf_counter() - began, time.process_time() - spent
        assert done == n
        assert reactor.consumer
        await reactor.consumer.close()
        await node.close()
        return n / took, n / spent


def bare_insert(n: int) -> float:
    """Rows a second of bare SQLite inserts, WAL, synchronous FULL, 500 a transaction, of about the bytes that a reaction writes."""
    with tempfile.TemporaryDirectory(prefix="duewatch-bench-") as folder:
        db = sqlite3.connect(Path(folder) / "bare.db", isolation_level=None)
        db.execute("PRAGMA journal_mode=WAL")
        db.execute("PRAGMA synchronous=FULL")
        db.execute("CREATE TABLE t (id TEXT PRIMARY KEY, state BLOB, meta BLOB)")
        began = time.perf_counter()
        for at in range(0, n, _BATCH):
            db.execute("BEGIN")
            db.executemany("INSERT INTO t VALUES (?, ?, ?)", [(f"sup_{i}", b"s" * 300, b"m" * 500) for i in range(at, at + _BATCH)])
            db.execute("COMMIT")
        took = time.perf_counter() - began
        db.close()
        return n / took


def events(n: int, runtime: Runtime) -> None:
    """The medians of three."""
    found = []
    for _ in range(3):
        with tempfile.TemporaryDirectory(prefix="duewatch-bench-") as folder:
            name = f"bench{secrets.token_hex(4)}"  # the system that is measured keeps its own topics and databases
            own = dict(runtime.settings)
            if own:
                own |= {
                    "DUEWATCH_BUS": f"{own['DUEWATCH_BUS']}/?prefix={name}.",
                    "DUEWATCH_STORE": own["DUEWATCH_STORE"].replace("/?", f"/{name}?"),
                }
            found.append(asyncio.run(event_throughput(n, Settings.read(own, data=Path(folder)))))
    note = "a reaction with one state write and one event, batches of 500; median of 3"
    show("event_throughput_per_s", percentile([wall for wall, _ in found], 0.5), "1/s", n, note)
    show("reactions_per_s", percentile([core for _, core in found], 0.5), "1/s", n, f"a processor second of its process; {note}")


def inserts(n: int) -> None:
    """The median of three."""
    rates = [bare_insert(n) for _ in range(3)]
    note = "SQLite by itself, WAL, synchronous FULL, 500 a transaction; median of 3"
    show("bare_insert_per_s", percentile(rates, 0.5), "1/s", n, note)
