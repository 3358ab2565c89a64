"""The envelope of every event (CloudEvents 1.0, JSON) and the catalogue of event types.

A payload is a frozen msgspec struct that knows its type and topic; producing takes only declared fields, reading ignores unknown ones,
so that an older reader survives an added field. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import msgspec

PUBLIC = "public"  # the tenant of what governments publish


class Payload(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Base of all event payloads; `topic` is None for what only the journal keeps."""

    type: ClassVar[str]
    topic: ClassVar[str | None]


CATALOGUE: dict[str, type[Payload]] = {}
_P = TypeVar("_P", bound=type[Payload])


def event(name: str, topic: str | None) -> Callable[[_P], _P]:
    """Declares `duewatch.NAME` on a topic."""

    def declare(cls: _P) -> _P:
        cls.type, cls.topic = f"duewatch.{name}", topic
        if cls.type in CATALOGUE:
            raise ValueError(f"{cls.type} is declared twice")
        CATALOGUE[cls.type] = cls
        return cls

    return declare


class Meta(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """All of an event but its data: the CloudEvents attributes and our extensions."""

    id: str
    source: str  # /services/NAME
    type: str
    subject: str  # the aggregate's id
    time: datetime
    tenant: str
    sequence: int  # the aggregate's version
    n: int = 0  # which of the events of that version
    kind: str = ""  # the aggregate's kind
    causationid: str = ""
    causationtype: str = ""
    correlationid: str = ""  # one per change in the world
    partitionkey: str = ""
    actor: str = ""  # who asked, where a person or program did
    traceparent: str = ""
    state: str = ""  # in the last event of a version: salted digest of the document that stands then, so that the chain covers it, too


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event as it comes off the log: where it stood, its attributes, its data still encoded."""

    topic: str
    partition: int
    position: int
    meta: Meta
    data: bytes

    def payload(self) -> Payload:
        """The typed payload; msgspec.DecodeError where its type is none of ours, or the data does not fit it."""
        return decode(self.meta.type, self.data)


_decoders: dict[str, "msgspec.json.Decoder[Any]"] = {}
_encoder = msgspec.json.Encoder(decimal_format="string")


def encode(value: Any) -> bytes:
    """JSON of a payload or state."""
    return _encoder.encode(value)


def decode(name: str, data: bytes) -> Payload:
    """The payload of type `name` from its JSON."""
    decoder = _decoders.get(name)
    if decoder is None:
        if name not in CATALOGUE:
            raise msgspec.DecodeError("No event of ours is of this type")
        decoder = _decoders[name] = msgspec.json.Decoder(CATALOGUE[name])
    return decoder.decode(data)  # type: ignore[no-any-return]  # the decoder of a catalogue entry gives that entry


def cloudevent(meta: Meta, data: bytes) -> dict[str, Any]:
    """The event as a CloudEvents JSON object, as partners and the feed get it."""
    out: dict[str, Any] = {
        "specversion": "1.0",
        "id": meta.id,
        "source": meta.source,
        "type": meta.type,
        "subject": meta.subject,
        "time": meta.time.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "dataschema": f"/contracts/events/{meta.type}.json",
        "tenant": meta.tenant,
        "sequence": str(meta.sequence),
        "correlationid": meta.correlationid,
        "causationid": meta.causationid,
        "partitionkey": meta.partitionkey,
        "data": msgspec.Raw(data),
    }
    if meta.traceparent:
        out["traceparent"] = meta.traceparent
    return out
