"""How people come in: ratings, their history, and the policy they are made by."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse
from pydantic import Field

from services.assessment.laws_api import law_routes
from services.assessment.model import ASSESSMENT, rating_view
from services.assessment.policy import load
from services.assessment.tenant_policies import POLICY, SetPolicy
from shared.errors import Malformed, NotFound
from shared.events.envelope import Meta, decode
from shared.events.ratings import RatingReassessed
from shared.http.auth import requires, router
from shared.http.pages import PageAsked, cursor_after, page
from shared.http.strings import Text
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reason = Annotated[Text, Field(max_length=1000)]


def routers(ctx: Context) -> list[APIRouter]:
    """Ratings, the policy and the laws."""
    routes = router("/v1", tag="assessment")
    ratings = requires(Permission.RATINGS_READ)

    @routes.get("/suppliers/{supplier_id}/rating")
    async def get_rating(caller: Annotated[Principal, ratings], supplier_id: str) -> dict[str, Any]:
        """The supplier's rating, with what drives it and what it obliges to."""
        found = await ctx.kernel.get(ASSESSMENT, caller.tenant, supplier_id)
        if found is None or not found.state.facts.version:
            raise NotFound("There is no rating of such a supplier; a new one is rated once it is screened")
        return {"supplier_id": supplier_id, "version": found.version, **rating_view(found.state.rating)}

    @routes.get("/suppliers/{supplier_id}/ratings")
    async def get_ratings(caller: Annotated[Principal, ratings], supplier_id: str, asked: PageAsked) -> dict[str, Any]:
        """Every rating that the supplier ever had, oldest first, each with its cause."""
        after = asked.after(int, int)
        items: list[dict[str, Any]] = []
        at = (after[0], after[1]) if after else (0, -1)
        more = False
        while not more:
            rows = await ctx.store.history("assessment", caller.tenant, supplier_id, after=at, limit=500)
            for row in rows:
                if row.type != RatingReassessed.type or row.data is None:
                    continue
                if len(items) == asked.limit:
                    more = True
                    break
                told = decode(row.type, row.data)
                assert isinstance(told, RatingReassessed)
                meta = msgspec.json.decode(row.meta, type=Meta)
                view = {"id": meta.id, "version": row.version, "time": meta.time, "previous_tier": told.previous_tier}
                items.append({**view, **rating_view(told.rating)})
                last = (row.version, row.n)
            if not rows:
                break
            at = (rows[-1].version, rows[-1].n)
        if not items and after is None and await ctx.kernel.get(ASSESSMENT, caller.tenant, supplier_id) is None:
            raise NotFound("There is no rating of such a supplier")
        return page(items, cursor_after(*last) if more else None)

    @routes.get("/policy")
    async def get_policy(caller: Annotated[Principal, requires(Permission.POLICY_READ)]) -> PlainTextResponse:
        """The policy in force, as YAML; its version is the ETag."""
        found = await ctx.kernel.get(POLICY, caller.tenant, "policy")
        text = found.state.text if found else ctx.own.policies.shipped_text
        version = found.state.version if found else ctx.own.policies.shipped.version
        return PlainTextResponse(text, media_type="application/yaml", headers={"ETag": f'"{version}"'})

    @routes.put("/policy")
    async def put_policy(
        caller: Annotated[Principal, requires(Permission.POLICY_WRITE)], request: Request, reason: Reason = "set by an admin"
    ) -> dict[str, Any]:
        """Sets the tenant's policy (YAML). Every supplier is rated again by it."""
        try:
            text = (await request.body()).decode()
        except UnicodeDecodeError:
            raise Malformed("A policy is YAML in UTF-8") from None
        policy = load(text)
        cause = Cause(ctx.ids.new("cmd"), "command.set_policy", actor=caller.subject)
        await ctx.kernel.execute(Item(POLICY, caller.tenant, "policy", Message(SetPolicy(text, policy.version, reason), cause)))
        return {"version": policy.version}

    return [routes, law_routes()]
