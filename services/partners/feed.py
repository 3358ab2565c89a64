"""The feed: every change of a tier, once, in one order a tenant, in the words that subscribers get.

Its journal is the feed: the journal of one aggregate has neither gaps nor repeats on any adapter, so that `(version, n)` of an entry is a
cursor that stays good for ever.
"""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from services.partners.model import FEED
from shared.errors import Malformed
from shared.events.envelope import Meta, Record, cloudevent, encode
from shared.events.partners import FeedAppended
from shared.http.pages import cursor_after, read_cursor
from shared.store.port import Store

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])
_entry = msgspec.json.Decoder(FeedAppended)
_INNER = ("obligations",)  # tells which audit is coming when: an unannounced one stays so
_ERASED = msgspec.Raw(b"")


class Place(NamedTuple):
    """Behind this entry of the feed's journal."""

    version: int = 0
    n: int = -1


def told(record: Record) -> bytes | None:
    """The CloudEvent (JSON) that partners get of a record of topic `ratings`; None where its content was erased.

    Field by field and without a type, so that no content whatever can keep an item out of the feed.
    """
    if record.data == b"null":
        return None
    fields = {name: value for name, value in _fields.decode(record.data).items() if name not in _INNER}
    return render(record.meta, encode(fields))


def render(meta: Meta, data: bytes) -> bytes:
    """An event as the JSON text of a CloudEvent."""
    return encode(cloudevent(meta, data))


async def read(store: Store, tenant: str, after: Place, limit: int) -> list[tuple[Place, msgspec.Raw]]:
    """Items behind a place, in order; an empty one where its content was erased."""
    rows = await store.history(FEED.kind, tenant, tenant, after=after, limit=limit)
    return [(Place(row.version, row.n), _entry.decode(row.data).event if row.data else _ERASED) for row in rows]


def place(text: str | None, end: int) -> Place:
    """A cursor's place, the beginning for None; Malformed where it is forged or behind `end`, the feed's version.

    A cursor behind the end comes of another system, or of data set back to an older copy: to go on silently would leave a gap.
    """
    if text is None:
        return Place()
    found = Place(*read_cursor(text, int, int))
    if found != Place() and not (0 < found.version <= end and found.n == 0):
        raise Malformed("The cursor is not one of this feed; take it from `next` as it is, or begin without one")
    return found


def page_of(items: Sequence[tuple[Place, msgspec.Raw]], after: Place) -> bytes:
    """The answer: the items to the byte as they are kept, and the cursor to go on from, also where nothing is there yet."""
    events = [event for _, event in items if bytes(event)]
    return encode({"items": events, "next": cursor_after(*(items[-1][0] if items else after))})
