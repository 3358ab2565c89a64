"""Events as Kafka messages and back, and the buffer between; without a broker."""

from datetime import timedelta, timezone

import msgspec
import pytest
from aiokafka.structs import ConsumerRecord, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.kafka_buffer import Buffer
from shared.bus.kafka_records import messages, record
from shared.events.envelope import Meta, encode
from tests.contracts.store_behaviour import row

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_ZONES = st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m)))
_METAS = st.builds(
    Meta,
    **{f.name: _TEXT for f in msgspec.structs.fields(Meta) if f.type is str and f.name not in ("id", "type")},
    id=_TEXT.filter(bool),
    type=_TEXT.filter(bool),
    time=st.datetimes(timezones=_ZONES),
    sequence=st.integers(0, 2**53),
    n=st.integers(0, 2**31),
)


def _consumed(at: int, headers: list[tuple[str, bytes]], value: bytes | None, partition: int = 0) -> "ConsumerRecord[bytes, bytes]":
    return ConsumerRecord("p.suppliers", partition, at, 0, 0, b"k", value, None, 1, len(value or b""), tuple(headers))


@given(_METAS, st.binary(max_size=50))
def test_all_of_an_event_comes_back(meta: Meta, data: bytes) -> None:
    told = msgspec.structs.replace(row("s", "s", 1, topic="suppliers", partitions=(0, 2), data=data, key="k"), meta=encode(meta))
    first, second = messages(told)
    assert (first.partition, second.partition, first.key) == (0, 2, b"k")
    found = record("suppliers", _consumed(4, first.headers, first.value))
    assert found.meta == msgspec.json.decode(encode(meta), type=Meta) == meta
    assert found.meta.time.utcoffset() == meta.time.utcoffset()
    assert (found.topic, found.position, found.data) == ("suppliers", 5, data or b"null")


def test_headers_are_those_of_cloudevents() -> None:
    (message,) = messages(row("supplier", "s1", 3, topic="ratings", partitions=(1,)))
    headers = dict(message.headers)
    assert headers["ce_specversion"] == b"1.0"
    assert headers["content-type"] == b"application/json"
    assert headers["ce_time"] == b"2026-01-01T00:00:00Z"
    assert headers["ce_sequence"] == b"3"
    assert all(headers.values())
    assert "traceparent" not in headers
    assert message.key == b"s1"


def test_a_trace_goes_by_both_names() -> None:
    one = row("supplier", "s1", 3, topic="ratings", partitions=(1,))
    traced = msgspec.structs.replace(msgspec.json.decode(one.meta, type=Meta), traceparent="00-1-2-01")
    (message,) = messages(msgspec.structs.replace(one, meta=encode(traced)))
    assert dict(message.headers)["traceparent"] == dict(message.headers)["ce_traceparent"] == b"00-1-2-01"


@pytest.mark.parametrize("headers", [[], [("ce_id", b"1"), ("ce_type", b"of.somebody.else"), ("ce_time", b"x"), ("ce_sequence", b"1")]])
def test_what_is_no_event_of_ours_cannot_be_read(headers: list[tuple[str, bytes]]) -> None:
    """By the error that a reactor gives up on at once: a hundred of them must not hold up what is behind them."""
    with pytest.raises(msgspec.DecodeError):
        record("suppliers", _consumed(4, headers, b"{}")).payload()


def test_the_buffer_serves_topics_in_order_and_partitions_evenly() -> None:
    buffer = Buffer(["first", "second"], {"second": 4}, full=1_000_000)
    for p in range(3):
        buffer.add(TopicPartition("second", p), [_consumed(i, [], b"x", p) for i in range(20)])
    assert buffer.before() == ["first"]
    assert len(buffer.take(100)) == 4
    for _ in range(3):
        assert {r.partition for r in buffer.take(3)} == {0, 1, 2}
    assert {r.partition for _ in range(3) for r in buffer.take(1)} == {0, 1, 2}
    buffer.add(TopicPartition("first", 0), [_consumed(i, [], b"x") for i in range(3)])
    assert buffer.before() == []
    taken = buffer.take(5)
    assert len(taken) == 5
    assert [r.offset for r in taken[:3]] == [0, 1, 2]
    while buffer:
        assert 0 < len(buffer.take(100)) <= 4
    assert buffer.size(TopicPartition("second", 1)) == 0
    assert buffer.before() == ["first", "second"]


def test_the_buffer_says_when_it_is_full() -> None:
    buffer, place = Buffer(["t"], {}, full=100_000), TopicPartition("t", 0)
    buffer.add(place, [_consumed(i, [], b"x" * 20_000) for i in range(5)])
    assert buffer.full(place)
    assert not buffer.low(place)
    buffer.take(3)
    assert buffer.low(place)
    buffer.clear()
    assert not buffer
