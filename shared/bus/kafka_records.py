"""Events as Kafka messages: CloudEvents 1.0, binary mode. The attributes are headers `ce_NAME`, the value is the data.

An attribute that is empty is left out, as CloudEvents asks, and reads back as empty.
https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from aiokafka.structs import ConsumerRecord

from shared.events.envelope import Meta, Record
from shared.events.topics import dead_letters_of
from shared.ids import derive
from shared.kernel.journal import JournalRow
from shared.store.port import DeadLetter

_CONTENT = ("content-type", b"application/json")
_VERSION = ("ce_specversion", b"1.0")
_TEXTS = tuple((f.name, f"ce_{f.name}") for f in msgspec.structs.fields(Meta) if f.type is str)
_OPTIONAL = tuple((name, header) for name, header in _TEXTS if name not in ("id", "source", "type", "subject", "tenant"))
# A Meta as it is written: its time is text already.
_written: "msgspec.json.Decoder[dict[str, Any]]" = msgspec.json.Decoder(dict[str, str | int])


class Message(NamedTuple):
    """What is sent; `topic` is the service's name for it, without prefix."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


def messages(row: JournalRow) -> Iterator[Message]:
    """One for each partition that the row goes to; none for what only the journal keeps. Data that was erased is `null`."""
    if row.topic is None:
        return
    meta = _written.decode(row.meta)
    key, headers = row.key or meta.get("partitionkey"), _headers(meta)
    for partition in row.partitions:
        yield Message(row.topic, partition, key.encode() if key else None, row.data or b"null", headers)


def buried(letter: DeadLetter) -> Message:
    """The message that a group gave up: what was wrong with it (never what is in it), how often it was tried, and where it stood."""
    told = {"group": letter.group, "error": letter.error, "attempts": letter.attempts, "at": letter.at, "topic": letter.topic}
    told |= {"partition": letter.partition, "offset": letter.position - 1}
    headers = [*_headers(_written.decode(letter.meta)), *((f"dead_letter_{name}", str(value).encode()) for name, value in told.items())]
    return Message(dead_letters_of(letter.group), letter.partition, letter.id.encode(), letter.data, headers)


def _headers(meta: dict[str, Any]) -> list[tuple[str, bytes]]:
    headers = [_VERSION, _CONTENT, ("ce_time", meta["time"].encode())]
    headers += [(header, text.encode()) for name, header in _TEXTS if (text := meta.get(name))]
    headers += [("ce_sequence", b"%d" % meta["sequence"]), ("ce_dataschema", f"/contracts/events/{meta['type']}.json".encode())]
    if traceparent := meta.get("traceparent"):  # once more under the name that tracing libraries look for
        headers.append(("traceparent", traceparent.encode()))
    if n := meta.get("n"):
        headers.append(("ce_n", b"%d" % n))
    return headers


def record(topic: str, message: "ConsumerRecord[bytes, bytes]") -> Record:
    """The event in a message. Its position is the offset behind it, so that 0 is: nothing consumed.

    What is no event of ours has an empty type and an id made of its place, so that whoever reads it puts it aside as a dead letter.
    """
    try:
        meta = _read(dict(message.headers))
    except (KeyError, ValueError, OverflowError):
        at = datetime.fromtimestamp(max(message.timestamp, 0) / 1000, UTC)
        foreign = derive("message", topic, str(message.partition), str(message.offset))
        meta = Meta(id=foreign, source="", type="", subject="", time=at, tenant="", sequence=0)
    data = b"null" if message.value is None else message.value
    return Record(topic=topic, partition=message.partition, position=message.offset + 1, meta=meta, data=data)


def _read(headers: dict[str, bytes]) -> Meta:
    texts = {name: headers[header].decode() for name, header in _OPTIONAL if header in headers}
    return Meta(
        id=headers["ce_id"].decode(), source=headers.get("ce_source", b"").decode(), type=headers["ce_type"].decode(),
        subject=headers.get("ce_subject", b"").decode(), tenant=headers.get("ce_tenant", b"").decode(),
        time=datetime.fromisoformat(headers["ce_time"].decode()), sequence=int(headers["ce_sequence"]), n=int(headers.get("ce_n", b"0")),
        **texts,
    )  # fmt: skip
