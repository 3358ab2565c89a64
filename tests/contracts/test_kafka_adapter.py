"""Kafka: the bus's suite on a real broker, and what only a log of its own has."""

import asyncio
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic, RecordsToDelete
from aiokafka.structs import TopicPartition

from shared.bus import kafka_consumer
from shared.bus.kafka import KafkaBus
from shared.bus.kafka_settings import KafkaSettings
from shared.bus.kafka_topics import KafkaTopics
from shared.clock import FakeClock
from shared.errors import Unavailable
from shared.events.envelope import Meta, Record, encode
from shared.ids import RandomIds
from shared.kernel.aggregate import Item
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reaction, Reactor
from tests.contracts.bus_behaviour import BusBehaviour
from tests.contracts.bus_setting import P, Teller, drain, subjects
from tests.contracts.kafka_handles import TOPICS_USED, OnKafka, adapter, settings
from tests.contracts.store_behaviour import row

__all__ = ["adapter", "settings"]


class TestKafkaBus(BusBehaviour):
    async def test_an_event_comes_back_as_it_was(self, adapter: OnKafka) -> None:
        _, bus = await adapter.open("onboarding")
        meta = Meta(
            id="evt-1", source="/services/x", type="t.v1", subject="Žlutý kůň", time=datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), tenant="t",
            sequence=7, n=2, kind="supplier", causationid="c", partitionkey="p", actor="käthe", traceparent="00-1-2-01", state="ab",
        )  # fmt: skip
        told = msgspec.structs.replace(row("supplier", "s", 7, topic="suppliers", data=b'{"x":1}', key="k"), meta=encode(meta))
        await bus.publish([told, msgspec.structs.replace(told, data=None), msgspec.structs.replace(told, topic=None)])
        found = await drain(await bus.consumer("g", ["suppliers"]))
        assert [(r.meta, r.data, r.position) for r in found] == [(meta, b'{"x":1}', 1), (meta, b"null", 2)]

    async def test_what_is_no_event_of_ours_comes_as_one_of_no_type(self, adapter: OnKafka) -> None:
        async with AIOKafkaProducer(**adapter.settings.connection()) as producer:
            await producer.send_and_wait(adapter.settings.prefix + "suppliers", None, b"k", 0)
            await producer.send_and_wait(adapter.settings.prefix + "suppliers", b"\xff", b"k", 0, headers=[("ce_id", b"\xff")])
        _, bus = await adapter.open("onboarding")
        found = await drain(await bus.consumer("g", ["suppliers"]))
        assert [(r.meta.type, r.data) for r in found] == [("", b"null"), ("", b"\xff")]
        assert found[0].meta.id != found[1].meta.id

    async def test_what_retention_took_holds_up_nobody(self, adapter: OnKafka, onboarding: Teller) -> None:
        _, bus = await adapter.open("screening")
        reading = await bus.consumer("g", ["ratings"])
        await onboarding.tell("ratings", *(f"s{i}" for i in range(10)), partition=1)
        await reading.committed(await reading.poll(2, 1.0))
        admin = AIOKafkaAdminClient(**adapter.settings.connection())
        await admin.start()
        place = TopicPartition(adapter.settings.prefix + "ratings", 1)
        await admin.delete_records({place: RecordsToDelete(6)})
        await reading.close()  # a process reads for a group once: the next reader would take its name, and it would take it back
        again = await bus.consumer("g", ["ratings"])
        assert subjects(await drain(again)) == ["s6", "s7", "s8", "s9"]
        assert subjects([r async for r in bus.replay("ratings", [1], {"ratings/1": 8})]) == ["s6", "s7"]
        await admin.delete_records({place: RecordsToDelete(10)})
        await admin.close()
        await again.close()
        last = await bus.consumer("g", ["ratings"])
        assert await drain(last) == []
        await onboarding.tell("ratings", "new", partition=1)
        assert subjects(await drain(last)) == ["new"]

    async def test_what_is_more_than_a_batch_holds_comes_in_order(self, adapter: OnKafka) -> None:
        """Batches of half a megabyte; one event is larger."""
        _, bus = await adapter.open("onboarding")
        sizes = [200_000] * 7 + [1_500_000, 10] + [300_000] * 3
        await bus.publish([row("s", f"s{i}", 1, topic="suppliers", data=b'"%s"' % (b"x" * size)) for i, size in enumerate(sizes)])
        found = await drain(await bus.consumer("g", ["suppliers"]))
        assert [(r.meta.subject, len(r.data) - 2) for r in found] == [(f"s{i}", size) for i, size in enumerate(sizes)]

    async def test_partitions_go_on_together(self, adapter: OnKafka, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else what is told to all of them is judged in one long before the others, by what else is known until then."""
        _, bus = await adapter.open("onboarding")
        await bus.publish([row("s", "first", 1, topic="suppliers")])
        producer, sent = bus._producer._producer, list[int]()
        queued = producer.send_batch

        async def watched(batch: Any, topic: str, *, partition: int) -> Any:
            sent.append(partition)
            return await queued(batch, topic, partition=partition)

        monkeypatch.setattr(producer, "send_batch", watched)
        told = [row("s", f"s{i}", 1, topic="suppliers", partitions=(0, 1, 2), data=b'"%s"' % (b"x" * 200_000)) for i in range(5)]
        await bus.publish(told)
        assert sent == [0, 1, 2] * 3

    async def test_a_slow_reader_holds_little(self, adapter: OnKafka, onboarding: Teller) -> None:
        for p in range(P):
            for _ in range(6):
                await onboarding.tell("suppliers", f"s{p}", partition=p, data=b'"' + b"x" * 1_000_000 + b'"')
        _, bus = await adapter.open("screening")
        consumer, most, found = await bus.consumer("g", ["suppliers"]), 0, 0
        while batch := await consumer.poll(1, 0):
            found += len(batch)
            held = consumer._buffer.size
            most = max(most, *(held(TopicPartition(adapter.settings.prefix + "suppliers", p)) for p in range(P)))
            await asyncio.sleep(0.01)
        assert found == 24
        assert most <= 3_100_000  # bytes of a partition: full at 2 MB, and the message that made it so

    async def test_what_comes_behind_a_batch_waits_for_no_silent_partition(self, adapter: OnKafka, onboarding: Teller) -> None:
        """What came meanwhile is drawn behind it; by then aiokafka has asked for all other partitions, and asks for this one once that is answered."""
        _, bus = await adapter.open("screening")
        consumer, waits = await bus.consumer("g", ["suppliers"]), []
        for i in range(3):
            await onboarding.tell("suppliers", f"in hand {i}", partition=0)
            assert subjects(await consumer.poll(10, 10.0)) == [f"in hand {i}"]
            await onboarding.tell("suppliers", f"drawn {i}", partition=0)
            await asyncio.sleep(0.3)
            assert subjects(await consumer.poll(10, 10.0)) == [f"drawn {i}"]
            await onboarding.tell("suppliers", f"behind {i}", partition=0)
            told = time.monotonic()
            assert subjects(await consumer.poll(10, 10.0)) == [f"behind {i}"]
            waits.append(time.monotonic() - told)
        assert min(waits) < 0.5  # s; an empty answer takes 1 s to who has nothing in hand

    async def test_a_poll_is_cancelled_and_nothing_is_lost(self, adapter: OnKafka, onboarding: Teller) -> None:
        _, bus = await adapter.open("screening")
        consumer = await bus.consumer("g", ["suppliers"])
        for i in range(20):
            waiting = asyncio.create_task(consumer.poll(10, 5.0))
            await asyncio.sleep(0.005 * (i % 5))
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
        await onboarding.tell("suppliers", *(f"s{i}" for i in range(30)), partition=2)
        assert subjects(await drain(consumer)) == [f"s{i}" for i in range(30)]

    async def test_what_a_group_gave_up_stands_on_a_topic_of_its_own(self, adapter: OnKafka, onboarding: Teller) -> None:
        await KafkaTopics(adapter.settings, P).apply(["dead-letters.screening"])
        await onboarding.tell("suppliers", "bad", partition=3, data=b'{"name":7}')
        store, bus = await adapter.open("screening")

        async def react(_: Sequence[Record]) -> list[Item]:
            raise msgspec.ValidationError("secret of the message")

        reactor = Reactor(Kernel("screening", store, bus, FakeClock(), RandomIds()), Reaction("screening", ("suppliers",), react))
        await reactor.start()
        assert await reactor.step(5.0) == 1
        (letter,) = await store.dead_letters()
        async with AIOKafkaConsumer(
            adapter.settings.prefix + "dead-letters.screening", **adapter.settings.connection(), auto_offset_reset="earliest"
        ) as watching:
            message = await asyncio.wait_for(watching.getone(), 10)
        headers = {name: value.decode() for name, value in message.headers}
        assert (message.partition, message.key.decode(), message.value) == (3, letter.id, b'{"name":7}')
        assert (headers["ce_subject"], headers["ce_id"]) == ("bad", msgspec.json.decode(letter.meta)["id"])
        told = {name: headers[f"dead_letter_{name}"] for name in ("group", "topic", "partition", "offset", "attempts")}
        assert told == {"group": "screening", "topic": "suppliers", "partition": "3", "offset": "0", "attempts": "1"}
        assert headers["dead_letter_error"].startswith("ValidationError in react")
        assert "secret" not in str(headers)


class TestFailures:
    async def test_a_broker_that_says_nothing(self) -> None:
        async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        bus = KafkaBus(KafkaSettings.parse(f"kafka://127.0.0.1:{server.sockets[0].getsockname()[1]}"), P, delivery_s=0.4)
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Unavailable, match=r"within 0\.4 s"):
                await bus.publish([row("supplier", "s", 1, topic="suppliers")])
            assert 0.3 < time.monotonic() - began < 1.5
        await bus.close()
        server.close()

    async def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        bus = KafkaBus(KafkaSettings.parse(f"kafka://127.0.0.1:{port}"), P)
        consumer = await bus.consumer("g", ["suppliers"])
        for asking in (
            lambda: bus.publish([row("s", "s", 1, topic="suppliers")]),
            lambda: consumer.poll(1, 0),
            lambda: bus.behind("g", "suppliers"),
        ):
            with pytest.raises(Unavailable):
                await asking()
        await consumer.rewind()
        await bus.close()

    async def test_what_is_late_goes_before_what_is_newer(self, adapter: OnKafka, monkeypatch: pytest.MonkeyPatch) -> None:
        """A publish whose deadline passed may come through later, but never behind a later one."""
        _, bus = await adapter.open("onboarding", delivery_s=2.0)  # a broker that has just been started may need a second
        await bus.publish([row("s", "first", 1, topic="suppliers")])
        held = _hold(bus, monkeypatch)
        with pytest.raises(Unavailable):
            await bus.publish([row("s", "late", 1, topic="suppliers")])
        producer = bus._producer._producer
        asyncio.get_running_loop().call_later(0.2, held.set)
        await bus.publish([row("s", "newer", 1, topic="suppliers")])
        assert bus._producer._producer is producer
        assert subjects(await drain(await bus.consumer("g", ["suppliers"]))) == ["first", "late", "newer"]

    async def test_a_producer_that_does_not_get_through_is_replaced(self, adapter: OnKafka, monkeypatch: pytest.MonkeyPatch) -> None:
        _, bus = await adapter.open("onboarding", delivery_s=0.5)
        await bus.publish([row("s", "first", 1, topic="suppliers")])
        _hold(bus, monkeypatch)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await bus.publish([row("s", "lost", 1, topic="suppliers")])
        await _published(bus, "again")
        assert subjects(await drain(await bus.consumer("g", ["suppliers"]))) == ["first", "again"]

    async def test_a_producer_that_dies_is_replaced(self, adapter: OnKafka, monkeypatch: pytest.MonkeyPatch) -> None:
        _, bus = await adapter.open("onboarding")
        await bus.publish([row("s", "first", 1, topic="suppliers")])
        monkeypatch.setattr(bus._producer._producer._sender, "_send_produce_req", _broken)
        with pytest.raises(Unavailable):
            await bus.publish([row("s", "lost", 1, topic="suppliers")])
        await _published(bus, "again")
        assert subjects(await drain(await bus.consumer("g", ["suppliers"]))) == ["first", "again"]

    @pytest.mark.parametrize("what", ["_get_actions_per_node", "ensure_coordinator_known"])
    async def test_a_consumer_that_dies_is_replaced(self, adapter: OnKafka, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
        """What fetches, of which aiokafka says nothing, and what keeps the group, which it says."""
        monkeypatch.setattr(kafka_consumer, "_LIMIT_S", 1.0)
        _, bus = await adapter.open("onboarding")
        consumer = await bus.consumer("g", ["suppliers"])
        await bus.publish([row("s", "first", 1, topic="suppliers")])
        await consumer.committed(await consumer.poll(10, 1.0))
        assert consumer._client is not None
        fetcher, coordinator = consumer._client._fetcher, consumer._client._coordinator
        monkeypatch.setattr(fetcher if hasattr(fetcher, what) else coordinator, what, _broken)
        coordinator.coordinator_dead()
        found: list[str] = []
        await bus.publish([row("s", "second", 1, topic="suppliers")])
        async with asyncio.timeout(20):
            while not found:
                try:
                    found += subjects(await consumer.poll(10, 0.2))
                except Unavailable:
                    await consumer.rewind()
        assert found == ["second"]


class TestKafkaTopics:
    async def test_what_is_missing_is_made_and_what_differs_is_said(self, settings: KafkaSettings) -> None:
        topics = KafkaTopics(settings, P)
        admin = AIOKafkaAdminClient(**settings.connection())
        await admin.start()
        await admin.create_topics([NewTopic(settings.prefix + "suppliers", 2, 1, topic_configs={"cleanup.policy": "delete"})])
        await admin.close()
        names = [p.name for p in topics.plans()]
        assert len(await topics.check()) >= len(names) - 1
        assert sorted(await topics.apply()) == sorted(set(names) - {settings.prefix + "suppliers"})
        assert await topics.apply() == []
        differing = await topics.check()
        assert all(d.startswith(f"{settings.prefix}suppliers: ") for d in differing)
        assert {"partitions is 2, not 4", "cleanup.policy is delete, not compact"} <= {d.partition(": ")[2] for d in differing}

    def test_what_each_topic_is(self) -> None:
        plans = KafkaTopics(KafkaSettings(servers=("a:1",), replication=3), 8).plans(TOPICS_USED)
        assert [(p.partitions, p.replication, p.configs["min.insync.replicas"]) for p in plans] == [(8, 3, "2")] * 3
        assert [p.configs["cleanup.policy"] for p in plans] == ["compact", "compact", "delete"]
        assert plans[2].configs["retention.ms"] == str(30 * 86_400_000)


def _broken(*_: object) -> None:
    raise RuntimeError("broken")


def _hold(bus: KafkaBus, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """What the producer sends waits for the event, as before a broker that stands still."""
    held = asyncio.Event()
    client = bus._producer._producer.client
    send = client.send

    async def sending(*args: Any, **options: Any) -> Any:
        await held.wait()
        return await send(*args, **options)

    monkeypatch.setattr(client, "send", sending)
    return held


async def _published(bus: KafkaBus, subject: str) -> None:
    """As an outbox does: until it is through."""
    async with asyncio.timeout(10):
        while True:
            try:
                return await bus.publish([row("s", subject, 1, topic="suppliers")])
            except Unavailable:
                continue
