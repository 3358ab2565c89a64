"""When the stream's consumer reads which partitions: never a stream's while positions are set and queues are emptied."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from faust.transport.drivers import aiokafka
from faust.types import TP

from services.hotspots.stream_consumer import App, Consumer
from services.hotspots.stream_settings import app_settings
from shared.bus.kafka_settings import KafkaSettings

STREAM, OTHER = TP("duewatch.signals", 0), TP("duewatch.signals", 1)


@pytest.fixture
async def consumer(tmp_path: Path) -> AsyncIterator[Consumer]:
    app = App(
        **app_settings(KafkaSettings.parse("kafka://127.0.0.1:1"), "hotspots", 4, tmp_path, ""), passes_over=lambda record: not record.value
    )
    app.Table("windows")
    app.finalize()
    found = app.consumer
    assert isinstance(found, Consumer)
    yield found
    found._thread.thread_loop.close()  # it never ran


def changelog(consumer: Consumer) -> TP:
    (name,) = consumer.app.tables.changelog_topics
    return TP(name, 0)


async def read(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a request for records asks for."""
    asked: list[Any] = []

    async def getmany(_: Any, partitions: Any, _timeout: float) -> dict[Any, Any]:
        asked.append(partitions)
        return {}

    monkeypatch.setattr(type(consumer._thread), "getmany", getmany)
    await consumer._wait_next_records(0.01)
    return asked[-1] if asked else set()


async def test_streams_are_read_with_the_flow_and_changelogs_at_once(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    log = changelog(consumer)
    consumer.pause_partitions([STREAM, log])
    consumer.resume_partitions([log])
    consumer.resume_flow()
    assert await read(consumer, monkeypatch) == {log}
    consumer.pause_partitions([log])
    consumer.resume_partitions([STREAM])  # the flow is on: Faust would read from here on, before it sets positions and empties queues
    assert await read(consumer, monkeypatch) == set()
    consumer.resume_flow()
    assert await read(consumer, monkeypatch) == {STREAM}


async def test_a_recovery_that_is_broken_off_leaves_no_stream_to_be_read_in_the_next(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = changelog(consumer)
    consumer.resume_partitions([STREAM])
    consumer.pause_partitions([STREAM, log])  # handed out again
    consumer.resume_partitions([log])
    consumer.resume_flow()
    assert await read(consumer, monkeypatch) == {log}


async def test_a_request_keeps_to_what_it_asked_for(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    log = changelog(consumer)
    consumer.resume_partitions([log])
    asked = await read(consumer, monkeypatch)
    consumer.pause_partitions([log])
    assert asked == {log}, "an empty set would ask for all partitions"


async def test_a_full_queue_that_is_emptied_wakes_no_partition_that_waits(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    consumer.resume_partitions([STREAM, OTHER])
    consumer.resume_flow()
    for partition in (STREAM, OTHER):
        consumer.on_buffer_full(partition)
    consumer.pause_partitions([STREAM])
    for partition in (STREAM, OTHER):
        consumer.on_buffer_drop(partition)
    assert await read(consumer, monkeypatch) == {OTHER}


async def test_the_flow_stands_still_while_partitions_are_assigned(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    flowing: list[bool] = []

    async def assigned(*_: Any) -> None:
        flowing.append(consumer.flow_active or consumer.app.flow_control.is_active())

    monkeypatch.setattr(consumer, "_on_partitions_assigned", assigned)
    consumer.resume_flow()
    consumer.app.flow_control.resume()
    await consumer.on_partitions_assigned({STREAM}, 1)
    assert flowing == [False]


async def test_an_agent_that_breaks_ends_the_run_and_takes_no_other_event(consumer: Consumer) -> None:
    app = consumer.app
    assert isinstance(app, App)
    agent: Any = None
    broken = asyncio.create_task(app._on_agent_error(agent, ValueError()))
    await asyncio.wait([broken], timeout=0.05)
    assert app.crashed
    assert not broken.done()
    broken.cancel()


async def test_what_has_no_position_yet_is_read_from_its_beginning(consumer: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[TP] = []

    async def committed(_: Any) -> dict[TP, int | None]:
        return {STREAM: None, OTHER: 7, changelog(consumer): None}

    async def to_beginning(_: Any, *partitions: TP) -> None:
        begun.extend(partitions)

    monkeypatch.setattr(aiokafka.AIOKafkaConsumerThread, "seek_to_committed", committed)
    monkeypatch.setattr(aiokafka.AIOKafkaConsumerThread, "seek_to_beginning", to_beginning)
    await consumer.perform_seek()
    assert begun == [STREAM]
    assert consumer._read_offset[OTHER] == 7


class Record(NamedTuple):
    """As much of Kafka's as counts here."""

    offset: int
    value: bytes


@pytest.mark.parametrize(
    ("committed", "told", "seen", "ends"),
    [
        (0, {0: b"", 1: b"", 2: b"x", 3: b"", 4: b""}, [2, 4], 5),
        (0, {0: b"x", 1: b"", 2: b"", 3: b"x"}, [0, 3], 4),  # Faust's own gaps leave one behind offset 0 open
        (7, {7: b"", 8: b"x", 10: b"", 12: b""}, [8, 12], 13),  # compaction took two
        (7, {7: b""}, [7], 8),
    ],
)
async def test_what_says_nothing_is_not_handed_on_and_counts_as_read(
    consumer: Consumer, monkeypatch: pytest.MonkeyPatch, committed: int, told: dict[int, bytes], seen: list[int], ends: int
) -> None:
    async def getmany(*_: Any) -> dict[Any, Any]:
        return {STREAM: [Record(*one) for one in told.items()]}

    monkeypatch.setattr(type(consumer._thread), "getmany", getmany)
    consumer._committed_offset[STREAM] = committed
    found = await consumer._getmany({STREAM}, 0.01)
    assert [record.offset for record in found[STREAM]] == seen
    before = committed
    for offset in seen:
        if offset - before > 1 and before:  # Faust's own account of what it does not see
            await consumer._add_gap(STREAM, before + 1, offset)
        assert consumer._new_offset(STREAM) is None, "what is not handled is not committed"
        consumer._acked[STREAM].append(offset)
        consumer._committed_offset[STREAM] = consumer._new_offset(STREAM)
        before = offset
    assert consumer._committed_offset[STREAM] == ends
