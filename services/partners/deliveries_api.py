"""Deliveries and the feed over HTTP: seen, tried, sent again, pulled."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.partners import views
from services.partners.delivery import DELIVERY, Deliver, Delivery, Redeliver, lane_key
from services.partners.feed import page_of, place, read, render
from services.partners.model import FEED, SUBSCRIPTION, StartReplay, Subscription
from services.partners.subscriptions_api import existing
from shared.errors import NotFound
from shared.events.envelope import Meta, encode
from shared.events.partners import DeliveryState, SubscriptionTest
from shared.http.auth import requires, router
from shared.http.idempotency import Idempotency, IdempotencyAsked
from shared.http.pages import DEFAULT_LIMIT, MAX_LIMIT, Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Cause, Document, Item, Message
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reader = Annotated[Principal, requires(Permission.SUBSCRIPTIONS_READ)]
Writer = Annotated[Principal, requires(Permission.SUBSCRIPTIONS_WRITE)]
FeedReader = Annotated[Principal, requires(Permission.FEED_READ)]
_JSON = "application/json"


def deliveries_routes(ctx: Context) -> APIRouter:
    """What became of a subscription's deliveries, and sending them again."""
    routes = router("/v1/subscriptions/{subscription_id}", tag="subscriptions")

    @routes.get("/deliveries", response_model=Page[views.DeliveryView])
    async def deliveries(subscription_id: str, caller: Reader, asked: PageAsked, state: DeliveryState | None = None) -> Response:
        """Deliveries with their last attempts, by the time of their event; `queued` ones wait behind others of this subscription."""
        await existing(ctx, caller.tenant, subscription_id)
        (after,) = asked.after(str) or ("",)
        where = {"subscription": subscription_id} if state is None else {"lane": lane_key(subscription_id, state)}
        stored = await ctx.store.find(DELIVERY.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        shown = stored[: asked.limit]
        items = [views.delivery(one.id, DELIVERY.decoder.decode(one.state)) for one in shown]
        return Response(encode(page(items, cursor_after(shown[-1].id) if len(stored) > len(shown) else None)), media_type=_JSON)

    @routes.get("/deliveries/{delivery_id}", response_model=views.DeliveryView)
    async def one_delivery(subscription_id: str, delivery_id: str, caller: Reader) -> Response:
        """One delivery."""
        found = await ctx.kernel.get(DELIVERY, caller.tenant, delivery_id)
        if found is None or found.state.subscription_id != subscription_id:
            raise NotFound("No delivery with this id")
        return Response(encode(views.delivery(found.id, found.state)), media_type=_JSON)

    @routes.post("/deliveries/{delivery_id}/redeliver", status_code=202, response_model=views.DeliveryView)
    async def redeliver(subscription_id: str, delivery_id: str, caller: Writer, asked: IdempotencyAsked) -> Response:
        """A new series of attempts for a dead delivery; 409 for one under way, or delivered (replay the subscription instead)."""
        (await existing(ctx, caller.tenant, subscription_id)).state.must_be_enabled()
        item = _item(ctx, DELIVERY, delivery_id, "redeliver", Redeliver(subscription_id), caller, asked, _delivery)
        return await _accepted(ctx, item, _delivery)

    @routes.post("/test", status_code=202, response_model=views.TestView)
    async def test(subscription_id: str, caller: Writer, asked: IdempotencyAsked) -> Response:
        """Sends an event of type `duewatch.subscription.test.v1`, signed and retried like any other."""
        (await existing(ctx, caller.tenant, subscription_id)).state.must_be_enabled()
        tenant = caller.tenant
        event_id = derive("evt", tenant, subscription_id, "test", caller.subject, asked.key) if asked else ctx.ids.new("evt")
        meta = Meta(
            id=event_id, source="/services/partners", type=SubscriptionTest.type, subject=subscription_id,
            time=ctx.clock.now(), tenant=tenant, sequence=1, correlationid=event_id, causationid=event_id, partitionkey=subscription_id,
        )  # fmt: skip
        event = render(meta, encode(SubscriptionTest(subscription_id=subscription_id)))
        body = Deliver(subscription_id=subscription_id, event_id=event_id, supplier_id="", event=event)
        id_ = derive("dlv", event_id, subscription_id)
        await ctx.kernel.execute(_item(ctx, DELIVERY, id_, "test", body, caller, None, _delivery))  # the same key gives the same id
        return Response(encode({"id": id_, "event_id": event_id}), 202, media_type=_JSON)

    @routes.post("/replay", status_code=202, response_model=views.SubscriptionView)
    async def replay(subscription_id: str, body: views.ReplayBody, caller: Writer, asked: IdempotencyAsked) -> Response:
        """Sends again what stands in the feed behind a cursor (from its beginning without one) and passes the filters of now."""
        end = await _feed_version(ctx, caller.tenant)
        command = StartReplay(place(body.after, end).version, end)
        item = _item(ctx, SUBSCRIPTION, subscription_id, "replay", command, caller, asked, _subscription)
        return await _accepted(ctx, item, _subscription)

    return routes


def feed_routes(ctx: Context) -> APIRouter:
    """The pull feed."""
    routes = router("/v1/risk-changes", tag="feed")

    @routes.get("", response_model=views.FeedView)
    async def risk_changes(
        caller: FeedReader,
        after: Annotated[views.Cursor | None, Query(description="`next` of the page before; without it from the beginning")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")] = DEFAULT_LIMIT,
    ) -> Response:
        """Every change of a supplier's tier, in one order without gaps; the same CloudEvents as webhooks carry."""
        behind = place(after, 0 if after is None else await _feed_version(ctx, caller.tenant))
        return Response(page_of(await read(ctx.store, caller.tenant, behind, limit), behind), media_type=_JSON)

    return routes


async def _feed_version(ctx: Context, tenant: str) -> int:
    found = await ctx.kernel.get(FEED, tenant, tenant)
    return found.version if found else 0


def _delivery(found: Document[Delivery]) -> bytes:
    return encode(views.delivery(found.id, found.state))


def _subscription(found: Document[Subscription]) -> bytes:
    return encode(views.subscription(found))


def _item(
    ctx: Context,
    aggregate: Aggregate[Any],
    id_: str,
    name: str,
    body: Any,
    caller: Principal,
    asked: Idempotency | None,
    answer: Callable[[Document[Any]], bytes],
) -> Item:
    cause = derive("cmd", caller.tenant, id_, caller.subject, name, asked.key) if asked else ctx.ids.new("cmd")
    message = Message(
        body,
        Cause(cause, f"command.{name}", actor=caller.subject),
        key=f"{caller.subject} {name} {asked.key}" if asked else "",
        digest=asked.digest if asked else "",
        answer=answer if asked else None,
    )
    return Item(aggregate, caller.tenant, id_, message)


async def _accepted(ctx: Context, item: Item, answer: Callable[[Document[Any]], bytes]) -> Response:
    outcome = await ctx.kernel.execute(item)
    assert outcome.document is not None
    return Response(outcome.answer or answer(outcome.document), 202, media_type=_JSON)
