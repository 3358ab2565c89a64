"""How programs come in: the gate, why it said so, and overrides."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import AwareDatetime, Field
from starlette.requests import Request
from starlette.responses import Response

from services.assessment.chain import why
from services.assessment.decisions.documentation import DOCUMENTED
from services.assessment.decisions.gate import handler
from services.assessment.decisions.model import DECISIONS, OVERRIDE, Approve, Override, OverrideChanged, Propose, Revoke
from services.assessment.decisions.question import Question
from shared.errors import NotFound
from shared.events.envelope import Meta, decode, encode
from shared.events.ratings import Decision, Link, RatingReassessed
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.hot import Hot
from shared.http.idempotency import Idempotency, IdempotencyAsked
from shared.http.pages import PageAsked, cursor_after, page
from shared.http.strings import Text
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reason = Annotated[Text, Field(min_length=3, max_length=1000)]
Word = Literal["allow", "allow_with_conditions", "review", "block"]


class OverrideBody(Body):
    """An exception to ask for."""

    supplier_id: Annotated[str, Field(min_length=1, max_length=60)]
    effect: Literal["purchase_order", "new_site", "payment"] = "purchase_order"
    decision: Word
    reason: Reason
    expires_at: AwareDatetime


class ApprovalBody(Body):
    """What a second person says to it."""

    outcome: Literal["approved", "rejected"]
    reason: Reason


class RevocationBody(Body):
    """Why it ends before its time."""

    reason: Reason


def routers(ctx: Context) -> list[APIRouter]:
    """The gate and overrides."""
    routes = router("/v1", tag="gate")
    decide = handler(ctx.own)
    read = requires(Permission.DECISIONS_READ)

    @routes.post("/decisions", response_model=None, openapi_extra=DOCUMENTED)
    async def ask(request: Request, caller: Annotated[Principal, requires(Permission.GATE_ASK)]) -> Response:
        """May we buy? One question, or up to 500 as `items`, answered in their order; each answer is kept before it is given."""
        answered: Response = await decide(request)
        return answered

    @routes.get("/decisions/{decision_id}")
    async def get_decision(caller: Annotated[Principal, read], decision_id: str) -> dict[str, Any]:
        """A decision as it was given."""
        taken_at, asked_by, decision = await _decision(ctx, caller.tenant, decision_id)
        return {"id": decision_id, "taken_at": taken_at, "asked_by": asked_by, **_plain(decision)}

    @routes.get("/decisions/{decision_id}/why")
    async def get_why(caller: Annotated[Principal, read], decision_id: str) -> dict[str, Any]:
        """The chain of causes, from the decision to what the world said, as it stood then."""
        taken_at, _, decision = await _decision(ctx, caller.tenant, decision_id)
        decided = Link(
            service="gate", type="duewatch.decisions.taken.v1", id=decision_id, time=taken_at, subject=decision.supplier_id or ""
        )
        rated, rating = None, None
        if decision.supplier_id and decision.rating_version:
            store, version = ctx.stores["assessment"], decision.rating_version
            rows = await store.history("assessment", caller.tenant, decision.supplier_id, after=(version, -1), limit=1)
            if rows and rows[0].version == version and rows[0].data is not None:
                told = decode(rows[0].type, rows[0].data)
                assert isinstance(told, RatingReassessed)
                meta = msgspec.json.decode(rows[0].meta, type=Meta)
                rated = Link(service="assessment", type=meta.type, id=meta.id, time=meta.time, subject=meta.subject)
                rating = told.rating
        found: dict[str, Any] = msgspec.to_builtins(why(decided, decision, rated, rating))
        if decision.override_id:
            found["override"] = await _override_then(ctx, caller.tenant, decision.override_id, taken_at)
        return found

    _overrides(ctx, routes)
    return [routes]


def hot(ctx: Context) -> Hot:
    """The gate once more, without the framework's cost."""
    return {("POST", "/v1/decisions"): handler(ctx.own)}


async def _decision(ctx: Context, tenant: str, decision_id: str) -> tuple[datetime, str, Decision]:
    batch, _, n = decision_id.partition(".")
    found = await ctx.kernel.get(DECISIONS, tenant, batch)
    if found is None or not n.isascii() or not n.isdigit() or int(n[:6]) >= len(found.state.decisions):
        raise NotFound("There is no such decision")
    return found.state.taken_at, found.state.asked_by, found.state.decisions[int(n[:6])]


async def _override_then(ctx: Context, tenant: str, override_id: str, taken_at: datetime) -> dict[str, Any] | None:
    """The override as it was in force then, whatever has become of it."""
    found = None
    for row in await ctx.store.history("override", tenant, override_id):
        told = decode(row.type, row.data) if row.data is not None else None
        if (
            isinstance(told, OverrideChanged)
            and told.override.state == "active"
            and msgspec.json.decode(row.meta, type=Meta).time <= taken_at
        ):
            found = {"id": override_id, "version": row.version, **_plain(told.override)}
    return found


def _overrides(ctx: Context, routes: APIRouter) -> None:
    read, write = requires(Permission.DECISIONS_READ), requires(Permission.OVERRIDES_WRITE)

    async def run(caller: Principal, id_: str, body: Any, repeat: Idempotency | None) -> dict[str, Any]:
        cause_id = derive("cmd", caller.tenant, id_, caller.subject, repeat.key) if repeat else ctx.ids.new("cmd")
        cause = Cause(cause_id, f"command.{type(body).__name__.lower()}_override", actor=caller.subject)
        key, digest = (repeat.key, repeat.digest) if repeat else ("", "")
        message = Message(body, cause, key, digest, answer=lambda d: encode(_view(d)))
        outcome = await ctx.kernel.execute(Item(OVERRIDE, caller.tenant, id_, message))
        assert outcome.document is not None
        answered: dict[str, Any] = msgspec.json.decode(outcome.answer) if outcome.answer else _view(outcome.document)
        return answered

    @routes.post("/overrides", status_code=201)
    async def propose(caller: Annotated[Principal, write], body: OverrideBody, repeat: IdempotencyAsked) -> dict[str, Any]:
        """Proposes that the gate answer otherwise for a time; it acts once somebody else has approved it.

        An exception is for the rating as it is now (`tier`): should that become worse, only what asks for more than the rating still acts.
        """
        id_ = derive("ovr", caller.tenant, caller.subject, repeat.key) if repeat else ctx.ids.new("ovr")
        (rated,) = await ctx.own.rows(caller.tenant, [Question(supplier_id=body.supplier_id)])
        if rated is None:
            raise NotFound("There is no rating of such a supplier")
        command = Propose(body.supplier_id, rated.gate.tier, body.effect, body.decision, body.reason, body.expires_at, caller.subject)
        return await run(caller, id_, command, repeat)

    @routes.post("/overrides/{override_id}/approval")
    async def approve(
        caller: Annotated[Principal, write], override_id: str, body: ApprovalBody, repeat: IdempotencyAsked
    ) -> dict[str, Any]:
        """Approves or rejects it: never by who proposed it."""
        return await run(caller, override_id, Approve(body.outcome == "approved", body.reason, caller.subject), repeat)

    @routes.post("/overrides/{override_id}/revocation")
    async def revoke(
        caller: Annotated[Principal, write], override_id: str, body: RevocationBody, repeat: IdempotencyAsked
    ) -> dict[str, Any]:
        """Ends it before its time."""
        return await run(caller, override_id, Revoke(body.reason, caller.subject), repeat)

    @routes.get("/overrides/{override_id}")
    async def get_override(caller: Annotated[Principal, read], override_id: str) -> dict[str, Any]:
        """One override."""
        found = await ctx.kernel.get(OVERRIDE, caller.tenant, override_id)
        if found is None:
            raise NotFound("There is no such override")
        return _view(found)

    @routes.get("/overrides")
    async def list_overrides(
        caller: Annotated[Principal, read],
        asked: PageAsked,
        supplier_id: Annotated[str | None, Query(max_length=60)] = None,
        state: Literal["proposed", "active", "rejected", "revoked", "expired"] | None = None,
    ) -> dict[str, Any]:
        """Overrides, by id."""
        where = {k: v for k, v in (("supplier_id", supplier_id), ("state", state)) if v is not None}
        after = asked.after(str)
        found = await ctx.store.find("override", caller.tenant, where, after=after[0] if after else "", limit=asked.limit + 1)
        items = [_view(document(OVERRIDE, s)) for s in found[: asked.limit]]
        return page(items, cursor_after(found[asked.limit - 1].id) if len(found) > asked.limit else None)


def _view(found: Document[Override]) -> dict[str, Any]:
    return {"id": found.id, "version": found.version, **_plain(found.state)}


def _plain(state: Any) -> dict[str, Any]:
    """All fields, also those that have their default."""
    built: dict[str, Any] = {f: getattr(state, f) for f in state.__struct_fields__}
    return built
