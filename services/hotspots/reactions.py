"""How events come in on the embedded runtime: each becomes a message to its supplier's notes and to the windows of the spots that it is about."""

from collections.abc import Iterable, Sequence

import msgspec

from services.hotspots.heard import GROUP, TOPICS, concerns, of_record
from services.hotspots.model import HOTSPOT, WATCHED, Heard, Seen
from services.hotspots.policy import Policy, of_file
from services.hotspots.sightings import (
    Sighting,
    Watched,
    by_spot,
    learned,
    sightings,
    spot_id,
    supplier_of,
    unheard,
    word_of,
)
from services.hotspots.stream_watch import Watch
from services.hotspots.stream_watch import run as stream
from shared.events.envelope import Record
from shared.events.matches import MatchEvent
from shared.events.suppliers import SupplierEvent
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.kernel import document
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context

_Key = tuple[str, str]  # tenant, supplier


class Watcher:
    """Holds the policy; knows nothing that is not in the store."""

    def __init__(self, ctx: Context) -> None:
        self.ctx, self.policy, self.watch = ctx, of_file(ctx.settings.hotspot_policy), Watch()

    def reaction(self) -> Reaction:
        """Findings, matches, and where suppliers stand."""
        return Reaction(GROUP, TOPICS, self.react, slices=("suppliers",))

    async def stream(self) -> None:
        """The same on the distributed runtime: a Faust app."""
        await stream(self.ctx, self, self.watch)

    async def react(self, records: Sequence[Record]) -> list[Item]:
        """What follows from each event, in their order."""
        heard = [(record, record.payload()) for record in records if concerns(record)]
        told = [(record, payload, _key(record, payload)) for record, payload in heard if isinstance(payload, SupplierEvent | MatchEvent)]
        known = await self._known({key for _, _, key in told})
        items: list[Item] = []
        for record, payload in heard:
            cause = msgspec.structs.replace(cause_of(record), source="")  # what is said twice changes nothing: no watermark is needed
            if isinstance(payload, SupplierEvent | MatchEvent):
                items += self._of_supplier(record, payload, known, cause)
            else:
                items += seen(record.meta.tenant, of_record(record, payload, self.policy), self.policy, cause)
        return items

    async def _known(self, keys: set[_Key]) -> dict[_Key, Watched]:
        stored = await self.ctx.store.load(WATCHED.kind, sorted(keys)) if keys else {}
        return {key: document(WATCHED, found).state for key, found in stored.items()}

    def _of_supplier(self, record: Record, payload: SupplierEvent | MatchEvent, known: dict[_Key, Watched], cause: Cause) -> list[Item]:
        word, key = word_of(payload, record.meta, self.policy), _key(record, payload)
        if word is None:
            return []
        before = known.get(key) or unheard(key[1])
        new = known[key] = learned(before, word)
        items = [Item(WATCHED, *key, Message(Heard(key[1], word), cause))] if new != before else []
        return items + seen(key[0], sightings(new), self.policy, cause)


def seen(tenant: str, found: Iterable[Sighting], policy: Policy, cause: Cause) -> list[Item]:
    """One message for each spot."""
    return [
        Item(HOTSPOT, tenant, spot_id(tenant, spot), Message(Seen(spot, tuple(news), policy.rule(spot.kind)), cause))
        for spot, news in by_spot(found).items()
    ]


def _key(record: Record, payload: SupplierEvent | MatchEvent) -> _Key:
    return record.meta.tenant, supplier_of(payload, record.meta)
