"""Subscriptions over HTTP: made, read, changed, deleted, given a new secret."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Response

from services.partners import views
from services.partners.lanes import secret_context
from services.partners.model import SUBSCRIPTION, Change, Delete, Rotate, Subscribe, Subscription
from services.partners.reactions import MAX_SUBSCRIPTIONS
from shared.errors import Conflict, NotFound
from shared.events.envelope import encode
from shared.http.auth import requires, router
from shared.http.idempotency import Idempotency, IdempotencyAsked, VersionAsked, etag
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.egress import check_new_url
from shared.security.roles import Permission, Principal
from shared.security.sealing import Sealed
from shared.security.webhooks import new_secret

Reader = Annotated[Principal, requires(Permission.SUBSCRIPTIONS_READ)]
Writer = Annotated[Principal, requires(Permission.SUBSCRIPTIONS_WRITE)]
_JSON = "application/json"
_PATH = "/v1/subscriptions"


def subscription_routes(ctx: Context) -> list[APIRouter]:
    """The routes of subscriptions themselves."""
    return [_reading(ctx), _writing(ctx)]


async def existing(ctx: Context, tenant: str, subscription_id: str) -> Document[Subscription]:
    """A subscription that is not deleted, or NotFound."""
    subscription: Document[Subscription] | None = await ctx.kernel.get(SUBSCRIPTION, tenant, subscription_id)
    if subscription is None or subscription.state.state == "deleted":
        raise NotFound("No subscription with this id")
    return subscription


def _shown(subscription: Document[Subscription]) -> Response:
    return Response(encode(views.subscription(subscription)), 200, {"ETag": etag(subscription.version)}, _JSON)


def _reading(ctx: Context) -> APIRouter:
    routes = router(_PATH, tag="subscriptions")

    @routes.get("/{subscription_id}", response_model=views.SubscriptionView)
    async def read(subscription_id: str, caller: Reader) -> Response:
        """One subscription, without its secret."""
        return _shown(await existing(ctx, caller.tenant, subscription_id))

    @routes.get("", response_model=Page[views.SubscriptionView])
    async def find(caller: Reader, asked: PageAsked) -> Response:
        """The tenant's subscriptions."""
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(SUBSCRIPTION.kind, caller.tenant, {"there": "yes"}, after=after, limit=asked.limit + 1)
        shown = stored[: asked.limit]
        items = [views.subscription(document(SUBSCRIPTION, one)) for one in shown]
        return Response(encode(page(items, cursor_after(shown[-1].id) if len(stored) > len(shown) else None)), media_type=_JSON)

    return routes


def _writing(ctx: Context) -> APIRouter:
    routes = router(_PATH, tag="subscriptions")
    secrets = _Secrets(ctx)

    @routes.post("", status_code=201, response_model=views.SubscriptionCreated)
    async def subscribe(body: views.SubscribeBody, caller: Writer, asked: IdempotencyAsked) -> Response:
        """A new subscription. Its secret signs every delivery (Standard Webhooks) and is shown this once.

        A delivery may come twice, with the same `webhook-id`, and late where an attempt before it failed: of one supplier's changes (`subject`)
        the one with the highest `sequence` stands.
        """
        await check_new_url(body.url, ctx.networks)
        new = derive("sub", caller.tenant, "subscriptions", caller.subject, asked.key) if asked else ctx.ids.new("sub")
        count = await ctx.store.count(SUBSCRIPTION.kind, caller.tenant, {"there": "yes"})
        if count >= MAX_SUBSCRIPTIONS and await ctx.kernel.get(SUBSCRIPTION, caller.tenant, new) is None:
            raise Conflict(f"At most {MAX_SUBSCRIPTIONS} subscriptions; delete one that is no longer needed")
        url, filters = body.url, body.filters.filters()
        answer = await secrets.send(new, "subscribe", lambda sealed: Subscribe(url, filters, sealed), caller, asked)
        return Response(answer, 201, media_type=_JSON)

    @routes.post("/{subscription_id}/secret", status_code=201, response_model=views.SubscriptionCreated)
    async def rotate(subscription_id: str, caller: Writer, asked: IdempotencyAsked) -> Response:
        """A new secret, shown this once. For 24 hours deliveries carry two signatures: by the new one and by the one before."""
        return Response(await secrets.send(subscription_id, "rotate", Rotate, caller, asked), 201, media_type=_JSON)

    @routes.patch("/{subscription_id}", response_model=views.SubscriptionView)
    async def change(subscription_id: str, body: views.ChangeBody, caller: Writer, expected: VersionAsked) -> Response:
        """Replaces what is given. What happens while it is disabled is not delivered later by itself: replay it from a cursor."""
        if body.url is not None:
            await check_new_url(body.url, ctx.networks)
        filters = body.filters.filters() if body.filters is not None else None
        command = Change(body.url, filters, None if body.state is None else body.state == "enabled")
        return _shown(await _execute(ctx, caller, subscription_id, "change", command, expected))

    @routes.delete("/{subscription_id}", status_code=204)
    async def delete(subscription_id: str, caller: Writer, expected: VersionAsked) -> Response:
        """Ends it; deliveries that are still under way are given up."""
        await _execute(ctx, caller, subscription_id, "unsubscribe", Delete(), expected)
        return Response(status_code=204)

    return routes


async def _execute(
    ctx: Context, caller: Principal, subscription_id: str, name: str, body: Change | Delete, expected: int | None
) -> Document[Subscription]:
    message = Message(body, Cause(ctx.ids.new("cmd"), f"command.{name}", actor=caller.subject), expected=expected)
    outcome = await ctx.kernel.execute(Item(SUBSCRIPTION, caller.tenant, subscription_id, message))
    assert outcome.document is not None
    return outcome.document


class _Secrets:
    """Commands that answer with a new secret.

    The first answer to an Idempotency-Key is kept as it was, secret included; so it is kept sealed, and opened for a repeat.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def send(
        self, subscription_id: str, name: str, command: Callable[[Sealed], Any], caller: Principal, asked: Idempotency | None
    ) -> bytes:
        """The answer: the subscription with its secret."""
        ctx, secret = self._ctx, new_secret()
        context = secret_context(caller.tenant, subscription_id)
        kept_as = f"{context}/answer"

        def answer(made: Document[Subscription]) -> bytes:
            return encode(views.subscription(made) | {"secret": secret})

        cause = derive("cmd", caller.tenant, subscription_id, caller.subject, name, asked.key) if asked else ctx.ids.new("cmd")
        message = Message(
            command(ctx.sealer.seal(secret.encode(), context=context)),
            Cause(cause, f"command.{name}", actor=caller.subject),
            key=f"{caller.subject} {name} {asked.key}" if asked else "",
            digest=asked.digest if asked else "",
            answer=(lambda made: encode(ctx.sealer.seal(answer(made), context=kept_as))) if asked else None,
        )
        outcome = await ctx.kernel.execute(Item(SUBSCRIPTION, caller.tenant, subscription_id, message))
        assert outcome.document is not None
        if outcome.answer is None:
            return answer(outcome.document)
        return ctx.sealer.open(msgspec.json.decode(outcome.answer, type=Sealed), context=kept_as)
