"""How events come in: a change of a tier becomes an item of its tenant's feed, and a delivery to each subscriber who wants it.

Two reactions, so that what keeps deliveries from being made (content that no filter can read) never keeps an item out of the feed.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from services.partners.delivery import DELIVERY, Deliver, delivery_id
from services.partners.feed import told
from services.partners.filters import kinds_of, wants
from services.partners.model import FEED, SIGHTING, SUBSCRIPTION, Append, See, Sighting, Subscription
from shared.events.envelope import Record
from shared.events.ratings import RatingChanged
from shared.kernel.aggregate import Item, Message
from shared.kernel.kernel import document
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context

MAX_SUBSCRIPTIONS = 200  # of one tenant
_BATCH = 200  # records, each of which may make as many deliveries as there are subscriptions


def reactions(ctx: Context) -> list[Reaction]:
    """Both read topic `ratings`."""

    async def feed(records: Sequence[Record]) -> list[Item]:
        return await _feed(ctx, records)

    async def deliveries(records: Sequence[Record]) -> list[Item]:
        return await _deliveries(ctx, records)

    return [Reaction("partners-feed", ("ratings",), feed), Reaction("partners-deliveries", ("ratings",), deliveries, _BATCH)]


def _is_change(record: Record) -> bool:
    return record.meta.type == RatingChanged.type


async def _feed(ctx: Context, records: Sequence[Record]) -> list[Item]:
    """All changes of one tenant go to one aggregate, whose watermarks must not grow with the number of suppliers.

    The source of a message is therefore not the supplier's rating but the partition it stood in: positions rise within one, so one mark a
    partition tells what is in the feed already. A second copy of an event in the log, which has a position of its own, is known by where the
    first one stood. What the reaction makes of a record cannot fail, so none comes again later as a dead letter, which such a mark would take
    for known.
    """
    changes = [(record, event) for record in records if _is_change(record) and (event := told(record)) is not None]
    known = await ctx.store.load(SIGHTING.kind, list({(record.meta.tenant, record.meta.id) for record, _ in changes}))
    first = {key: SIGHTING.decoder.decode(stored.state) for key, stored in known.items()}
    items = []
    for record, event in changes:
        meta, here = record.meta, Sighting(record.partition, record.position)
        if first.setdefault((meta.tenant, meta.id), here) != here:
            continue
        cause = replace(cause_of(record), source=f"{record.topic}/{record.partition}", sequence=record.position, n=0)
        items.append(Item(FEED, meta.tenant, meta.tenant, Message(Append(event), cause)))
        items.append(Item(SIGHTING, meta.tenant, meta.id, Message(See(here.partition, here.position), replace(cause, source=""))))
    return items


async def _deliveries(ctx: Context, records: Sequence[Record]) -> list[Item]:
    """A delivery's id comes from event and subscription: made twice, it is the same one, and needs no watermark."""
    items: list[Item] = []
    known: dict[str, list[tuple[str, Subscription]]] = {}
    for record in records:
        if not _is_change(record):
            continue
        tenant = record.meta.tenant
        if tenant not in known:
            known[tenant] = await _enabled(ctx, tenant)
        if known[tenant]:
            items += _of_record(record, known[tenant])
    return items


async def _enabled(ctx: Context, tenant: str) -> list[tuple[str, Subscription]]:
    """All of a tenant's; two who subscribe in the same moment may both get past the limit."""
    enabled: list[tuple[str, Subscription]] = []
    after = ""
    while found := await ctx.store.find(SUBSCRIPTION.kind, tenant, {"state": "enabled"}, after=after, limit=MAX_SUBSCRIPTIONS):
        enabled += [(one.id, document(SUBSCRIPTION, one).state) for one in found]
        after = found[-1].id
    return enabled


def _of_record(record: Record, subscriptions: Sequence[tuple[str, Subscription]]) -> list[Item]:
    change, event = record.payload(), told(record)
    assert isinstance(change, RatingChanged)
    assert event is not None
    kinds, cause = kinds_of(change), replace(cause_of(record), source="")
    meta, items = record.meta, []
    for id_, subscription in subscriptions:
        if wants(subscription.filters, change, kinds):
            body = Deliver(subscription_id=id_, event_id=meta.id, supplier_id=change.supplier_id, event=event)
            items.append(Item(DELIVERY, meta.tenant, delivery_id(meta.time, meta.id, id_), Message(body, cause)))
    return items
