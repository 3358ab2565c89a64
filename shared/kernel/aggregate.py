"""What a service declares: aggregates, how they decide, and by which fields they are found. Pure: no I/O, no clock, no random.

What is made once a message is a msgspec struct: a frozen dataclass takes five times as long to make.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from shared.events.envelope import Payload

S = TypeVar("S")


class Cause(msgspec.Struct, frozen=True, gc=False):
    """Why something happens. For a message off the bus, `source` ("kind/subject"), `sequence` and `n` say which one it was."""

    id: str
    type: str
    correlation: str = ""
    actor: str = ""
    traceparent: str = ""
    source: str = ""
    sequence: int = 0
    n: int = 0
    time: datetime | None = None


class Message(msgspec.Struct, frozen=True):
    """A command, an event or an alarm for one aggregate.

    A command may carry an Idempotency-Key: the aggregate keeps `(key, digest)` with the answer that `answer` renders.
    """

    body: Any
    cause: Cause
    key: str = ""
    digest: str = ""
    expected: int | None = None  # If-Match
    answer: "Callable[[Document[Any]], bytes] | None" = None


@dataclass(frozen=True, slots=True)
class Alarm:
    """The time that an aggregate asked to be woken at has come."""

    at: datetime


class Decided(NamedTuple, Generic[S]):
    """A new state and the events that it causes; a state never changes without an event."""

    state: S
    events: Sequence[Payload]


@dataclass(frozen=True, slots=True)
class Index(Generic[S]):
    """A field by which documents are found: one value a document, or (`many`) several; `unique` within a tenant.
    `ordered`: documents are also read in the order of its values, which are ASCII texts; those without one are left out."""

    name: str
    get: Callable[[S], Any]
    many: bool = False
    unique: bool = False
    ordered: bool = False


@dataclass(frozen=True)
class Aggregate(Generic[S]):
    """A kind of document, with all that may happen to it."""

    kind: str
    state: type[S]
    decide: Callable[[S | None, Message, datetime], Decided[S] | None]
    indexes: tuple[Index[S], ...] = ()
    wake: Callable[[S], datetime | None] | None = None  # when to ring its alarm
    rings: bool = True  # False: the service looks for what is due itself, the waker leaves it alone
    key: Callable[[S], str] | None = None  # partition key, where it is not the aggregate's own id
    erasable: bool = False  # what is taken out of its state must lie nowhere on disk any more
    goes_on: bool = False  # work goes on from it that no event tells of: it keeps the trace of its last change, as all whose alarms ring do

    decoder: "msgspec.json.Decoder[S]" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "decoder", msgspec.json.Decoder(self.state))


@dataclass(slots=True)
class Document(Generic[S]):
    """One aggregate as it stands. `marks`: the highest (sequence, n) seen of each source; `inbox`: the commands answered;
    `traceparent`: the trace of the last change, where its work goes on later."""

    kind: str
    tenant: str
    id: str
    version: int
    state: S
    head: bytes = b""
    marks: dict[str, list[int]] = field(default_factory=dict)
    inbox: dict[str, list[Any]] = field(default_factory=dict)
    wake_at: float | None = None
    traceparent: str = ""


class Item(msgspec.Struct, frozen=True):
    """One message for one aggregate, as `apply_many` takes them."""

    aggregate: Aggregate[Any]
    tenant: str
    id: str
    message: Message
    fresh: bool = False  # there should be none yet: nothing is loaded, unless it shows that there is one


class Outcome(msgspec.Struct):
    """What became of an item: the document after it, whether it moved, or why it was refused."""

    document: Document[Any] | None = None
    changed: bool = False
    error: Exception | None = None
    answer: bytes | None = None  # the first answer to a repeated command
