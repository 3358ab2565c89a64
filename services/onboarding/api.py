"""Suppliers over HTTP: register, read, find, change, deactivate, acknowledge."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from services.onboarding import views
from services.onboarding.model import (
    SUPPLIERS,
    Acknowledge,
    Change,
    Deactivate,
    Reactivate,
    Register,
    acknowledgement,
    fold,
    ref_key,
)
from shared.errors import Invalid, NotFound
from shared.events.envelope import encode
from shared.events.ratings import Tier
from shared.events.suppliers import Profile, Status
from shared.http.auth import requires, router
from shared.http.checks import clean_name
from shared.http.idempotency import Idempotency, IdempotencyAsked, VersionAsked, etag
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.http.strings import Country, Name
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message, Outcome
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reader = Annotated[Principal, requires(Permission.SUPPLIERS_READ)]
Writer = Annotated[Principal, requires(Permission.SUPPLIERS_WRITE)]
_PATH = "/v1/suppliers"
_JSON = "application/json"


class _Commands:
    """Commands of people and programs, with their causes and Idempotency-Keys."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def send(
        self, supplier_id: str, name: str, body: Any, by: Principal, asked: Idempotency | None, expected: int | None = None
    ) -> Outcome:
        command = derive("cmd", by.tenant, supplier_id, by.subject, name, asked.key) if asked else self._ctx.ids.new("cmd")
        message = Message(
            body,
            Cause(command, f"command.{name}", actor=by.subject),
            key=f"{by.subject} {name} {asked.key}" if asked else "",
            digest=asked.digest if asked else "",
            expected=expected,
            answer=views.render if asked else None,
        )
        return await self._ctx.kernel.execute(Item(SUPPLIERS, by.tenant, supplier_id, message))


def _answer(outcome: Outcome, status: int = 200) -> Response:
    """The first answer to a repeated command, else the supplier as it stands."""
    assert outcome.document is not None
    if outcome.answer is not None and not outcome.changed:
        return Response(outcome.answer, status, media_type=_JSON)
    return _shown(outcome.document, status)


def _shown(found: Document[Any], status: int = 200) -> Response:
    return Response(views.render(found), status, {"ETag": etag(found.version)}, _JSON)


def _reference(asked: str | None) -> str | None:
    """SYSTEM:NUMBER as the index spells it: the number cleaned as it was when it came."""
    if asked is None:
        return None
    system, colon, number = asked.partition(":")
    if not (system and colon):
        raise Invalid("The reference is not complete", errors=[{"field": "external_ref", "message": "Give SYSTEM:NUMBER"}])
    return ref_key(system, clean_name(number, "external_ref", most=views.MAX_NUMBER_CHARS))


def routers(ctx: Context) -> list[APIRouter]:
    """The routes of suppliers."""
    return [_reading(ctx), _writing(ctx)]


def _reading(ctx: Context) -> APIRouter:
    routes = router(_PATH, tag="suppliers")

    @routes.get("/{supplier_id}", response_model=views.SupplierView)
    async def read(supplier_id: str, caller: Reader) -> Response:
        """One supplier; its ETag is what a change names in If-Match."""
        found = await ctx.kernel.get(SUPPLIERS, caller.tenant, supplier_id)
        if found is None:
            raise NotFound("No supplier with this id")
        return _shown(found)

    @routes.get("", response_model=Page[views.SupplierView])
    async def find(
        caller: Reader,
        asked: PageAsked,
        external_ref: Annotated[str | None, Query(max_length=200, description="SYSTEM:NUMBER")] = None,
        status: Status | None = None,
        country: Country | None = None,
        tier: Annotated[Tier | None, Query(description="of the last rating; `low` finds those never rated worse")] = None,
        q: Annotated[Name | None, Query(description="part of a name, without regard to case and accents")] = None,
    ) -> Response:
        """Suppliers by external reference, status, country, tier, or part of a name."""
        wanted = {"external_ref": _reference(external_ref), "status": status, "country": country, "tier": tier}
        where = {name: value for name, value in wanted.items() if value is not None}
        (after,) = asked.after(str) or ("",)
        contains = ("name_folded", fold(q)) if q else None
        stored = await ctx.store.find(SUPPLIERS.kind, caller.tenant, where, after=after, limit=asked.limit + 1, contains=contains)
        shown = stored[: asked.limit]
        items = [views.view(document(SUPPLIERS, one)) for one in shown]
        return Response(encode(page(items, cursor_after(shown[-1].id) if len(stored) > len(shown) else None)), media_type=_JSON)

    return routes


def _writing(ctx: Context) -> APIRouter:
    routes = router(_PATH, tag="suppliers")
    commands = _Commands(ctx)

    @routes.post("", status_code=201, response_model=views.SupplierView)
    async def register(body: views.SupplierBody, caller: Writer, asked: IdempotencyAsked) -> Response:
        """Registers a supplier; 409 where another one has one of its external references."""
        new = derive("sup", caller.tenant, "suppliers", caller.subject, asked.key) if asked else ctx.ids.new("sup")
        command = Register(supplier_id=new, profile=Profile(**body.stated()))
        return _answer(await commands.send(new, "register", command, caller, asked), 201)

    @routes.patch("/{supplier_id}", response_model=views.SupplierView)
    async def change(supplier_id: str, body: views.ChangeBody, caller: Writer, expected: VersionAsked) -> Response:
        """Replaces the fields that are given; what they hold already changes nothing."""
        command = Change(supplier_id=supplier_id, fields=body.stated())
        return _answer(await commands.send(supplier_id, "change", command, caller, None, expected))

    @routes.post("/{supplier_id}/deactivation", response_model=views.SupplierView)
    async def deactivate(supplier_id: str, body: views.ReasonBody, caller: Writer, asked: IdempotencyAsked) -> Response:
        """We buy no more from it; ratings no longer move its status."""
        return _answer(await commands.send(supplier_id, "deactivate", Deactivate(reason=body.reason), caller, asked))

    @routes.post("/{supplier_id}/reactivation", response_model=views.SupplierView)
    async def reactivate(supplier_id: str, body: views.ReasonBody, caller: Writer, asked: IdempotencyAsked) -> Response:
        """We buy from it again, as far as its last rating allows."""
        return _answer(await commands.send(supplier_id, "reactivate", Reactivate(reason=body.reason), caller, asked))

    @routes.post("/{supplier_id}/code-acknowledgements", status_code=201, response_model=views.AcknowledgementView)
    async def acknowledge(supplier_id: str, body: views.AcknowledgementBody, caller: Writer, asked: IdempotencyAsked) -> Response:
        """Records that the supplier acknowledged a version of the code of conduct."""
        said = Acknowledge(code_version=body.code_version, acknowledged_by=body.acknowledged_by)
        outcome = await commands.send(supplier_id, "acknowledge-code", said, caller, asked)
        assert outcome.document is not None
        kept = acknowledgement(outcome.document.state, said.code_version, said.acknowledged_by)
        return Response(encode(kept), 201, media_type=_JSON)

    return routes
