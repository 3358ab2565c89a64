"""Replays: what stands in the feed behind a cursor becomes deliveries again, a page a commit, together with how far that is done."""

import logging
from datetime import datetime

import msgspec

from services.partners.delivery import DELIVERY, Deliver, delivery_id
from services.partners.feed import Place, read
from services.partners.filters import kinds_of, wants
from services.partners.model import SUBSCRIPTION, AdvanceReplay, Subscription
from shared.events.ratings import RatingChanged
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.store.port import Stored

log = logging.getLogger("duewatch.webhooks")
_PAGE = 500
_AT_ONCE = 50
_POLL_S = 1.0
_BREATH_S = 0.1  # between two looks: each commit of anyone nudges


class _Told(msgspec.Struct, frozen=True):
    """What of a feed's item decides who gets it."""

    id: str
    time: datetime
    data: RatingChanged


_told = msgspec.json.Decoder(_Told)


async def run(ctx: Context) -> None:
    """Replays for ever."""
    waits = ctx.nudged()
    while True:
        if not await step(ctx):
            await waits.wait(_POLL_S, _BREATH_S)


async def step(ctx: Context) -> int:
    """One page of each replay that is under way; how many there are."""
    due = await ctx.store.due(SUBSCRIPTION.kind, ctx.clock.now().timestamp(), _AT_ONCE)
    for stored in due:
        await _page(ctx, stored)
    return len(due)


async def _page(ctx: Context, stored: Stored) -> None:
    found_now = document(SUBSCRIPTION, stored)
    subscription: Subscription = found_now.state
    replay = subscription.replay
    assert replay is not None
    after = Place(replay.done, 0) if replay.done else Place()
    found = [(place, event) for place, event in await read(ctx.store, stored.tenant, after, _PAGE) if place.version <= replay.upto]
    done = found[-1][0].version if found else replay.upto
    cause = Cause(derive("replay", stored.id, str(stored.version)), "command.replay", stored.id, traceparent=found_now.traceparent)
    items = [Item(SUBSCRIPTION, stored.tenant, stored.id, Message(AdvanceReplay(replay.done, done), cause))]
    for event in [event for _, event in found if bytes(event)]:
        try:
            told = _told.decode(event)
        except msgspec.ValidationError:  # no filter can read it; it was no delivery the first time, either
            log.error("an item of the feed cannot be replayed")
            continue
        if wants(subscription.filters, told.data, kinds_of(told.data)):
            # The first is due at once and draws the lane's attention; the others wait in its queue, out of the way of other subscribers.
            body = Deliver(
                subscription_id=stored.id, event_id=told.id, supplier_id=told.data.supplier_id,
                event=bytes(event), again=True, queued=len(items) > 1,
            )  # fmt: skip
            items.append(Item(DELIVERY, stored.tenant, delivery_id(told.time, told.id, stored.id), Message(body, cause)))
    await ctx.kernel.apply_many(items)
