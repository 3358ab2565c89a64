"""What Kafka, MongoDB and their drivers cost with nothing of ours between them: the least that three services pay which each write a document with its
entry for a supplier, and tell the next one. Nothing is matched, cleared, read back or answered."""

import asyncio
import secrets
import time
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import AsyncMongoClient
from pymongo.write_concern import WriteConcern

from tests.bench.figures import cpu_s, show
from tests.bench.runtimes import Runtime

_BATCH, _PARTITIONS = 500, 4
_STATE, _EVENT, _HEADERS = 600, 500, 8  # bytes of a document and an event, headers of a record: no more than an import's
_HOPS = ("bare-suppliers", "bare-screened", "bare-ratings")
_LONGEST_S = 300


def imported(n: int, runtime: Runtime) -> None:
    """Processor time of all three for each of `n` suppliers, as `import_cpu_us_per_supplier` counts it for the whole system."""
    own, before = time.process_time(), {name: cpu_s(pid) for name, pid in runtime.servers.items()}
    asyncio.run(_imported(n, runtime.settings["DUEWATCH_BUS"].removeprefix("kafka://"), runtime.settings["DUEWATCH_STORE"]))
    spent = {name: cpu_s(pid) - before[name] for name, pid in runtime.servers.items()} | {"drivers": time.process_time() - own}
    note = ", ".join(f"{name} {value / n * 1e6:.0f}" for name, value in spent.items())
    hops = f"{len(_HOPS)} documents with their entries, and as many records for each, {_BATCH} at a time, each record read once"
    show("bare_import_cpu_us_per_supplier", sum(spent.values()) / n * 1e6, "us", n, f"{hops}: {note}")


async def _imported(n: int, broker: str, store: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker)
    await admin.start()
    await admin.create_topics([NewTopic(hop, _PARTITIONS, 1) for hop in _HOPS])
    await admin.close()
    client: AsyncMongoClient[Any] = AsyncMongoClient(store)
    database = client.get_database("bare", write_concern=WriteConcern("majority"))
    producer = AIOKafkaProducer(bootstrap_servers=broker, enable_idempotence=True)
    readers = [AIOKafkaConsumer(hop, bootstrap_servers=broker, group_id=hop, enable_auto_commit=False) for hop in _HOPS]
    async with asyncio.timeout(_LONGEST_S), producer:
        for reader in readers:
            await reader.start()
            await reader.seek_to_beginning()
        for at in range(0, n, _BATCH):
            for hop, reader in zip(_HOPS, readers, strict=True):
                await _hop(database, producer, reader, hop, range(at, min(n, at + _BATCH)))
    for reader in readers:
        await reader.stop()
    await client.drop_database("bare")
    await client.close()


async def _hop(database: Any, producer: AIOKafkaProducer, reader: AIOKafkaConsumer, hop: str, numbers: range) -> None:
    ids = [f"default/{hop}/{number}" for number in numbers]
    documents = [{"_id": id_, "v": 1, "s": secrets.token_bytes(_STATE), "first": secrets.token_bytes(_EVENT)} for id_ in ids]
    await database[hop].insert_many(documents, ordered=False)
    headers = [(f"header-{n}", b"of some twenty bytes") for n in range(_HEADERS)]
    sent = [
        await producer.send(hop, one["first"], one["_id"].encode(), partition=n % _PARTITIONS, headers=headers)
        for n, one in enumerate(documents)
    ]
    await asyncio.gather(*sent)
    left = len(sent)
    while left:
        found = await reader.getmany(timeout_ms=1000)
        left -= sum(map(len, found.values()))
    await reader.commit()
