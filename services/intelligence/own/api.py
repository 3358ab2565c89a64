"""Lists of one's own over HTTP: the mapping that says how their files are to be read."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request
from pydantic import BaseModel

from services.intelligence.lists.mapping import LIST_ID, MAX_BYTES, parse
from services.intelligence.own.model import OWN_LIST, Map, OwnList
from services.intelligence.own.registry import MOST
from shared.errors import Conflict, Invalid, NotFound, TooLarge
from shared.events.envelope import PUBLIC
from shared.http.auth import requires, router
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reader = Annotated[Principal, requires(Permission.LISTS_READ)]
Operator = Annotated[Principal, requires(Permission.LISTS_LOAD)]
OwnId = Annotated[str, Path(pattern=LIST_ID)]
_BODY = {"schema": {"type": "string", "description": "A mapping file, as YAML or JSON"}}


class MappingView(BaseModel):
    """How a list's files are read, and who said so last."""

    list: str
    mapping: dict[str, Any]
    mapped_by: str
    mapped_at: datetime


def routers(ctx: Context) -> list[APIRouter]:
    """Mappings."""
    routes = router("/v1/lists", tag="lists")

    @routes.put("/{list_id}/mapping", response_model=MappingView, openapi_extra={
        "requestBody": {"required": True, "content": {"application/yaml": _BODY, "application/json": _BODY}}})  # fmt: skip
    async def put_mapping(request: Request, caller: Operator, list_id: OwnId) -> dict[str, Any]:
        """Makes a list of one's own, or says anew how its files are read; releases that came before stay as they were read. 422 names what is wrong."""
        content = b""
        async for chunk in request.stream():
            content += chunk
            if len(content) > MAX_BYTES:
                raise TooLarge(f"A mapping has at most {MAX_BYTES // 1000} KB")
        mapping = parse(content)
        if mapping.list != list_id:
            raise Invalid(
                "The mapping is of another list than the address", errors=[{"field": "list", "message": "is not that of the address"}]
            )
        if await ctx.kernel.get(OWN_LIST, PUBLIC, list_id) is None and await ctx.store.count(OWN_LIST.kind, PUBLIC, {}) >= MOST:
            raise Conflict(f"There are {MOST} lists of one's own already")
        cause = Cause(ctx.ids.new("cmd"), "command.own_list.map", actor=caller.subject)
        outcome = await ctx.kernel.execute(Item(OWN_LIST, PUBLIC, list_id, Message(Map(mapping), cause)))
        assert outcome.document is not None
        return _view(outcome.document)

    @routes.get("/{list_id}/mapping", response_model=MappingView)
    async def get_mapping(caller: Reader, list_id: OwnId) -> dict[str, Any]:
        """The mapping of a list of one's own."""
        found = await ctx.kernel.get(OWN_LIST, PUBLIC, list_id)
        if found is None:
            raise NotFound("There is no such list of one's own")
        return _view(found)

    return [routes]


def _view(found: Document[OwnList]) -> dict[str, Any]:
    s = found.state
    return {"list": found.id, "mapping": msgspec.to_builtins(s.mapping), "mapped_by": s.mapped_by, "mapped_at": s.mapped_at}
