"""Imports over HTTP: a file streams in, is stored for good, and is worked on afterwards."""

import hashlib
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.datastructures import Headers

from services.onboarding.imports.files import Files
from services.onboarding.imports.model import IMPORTS, Import, Receive, State
from services.onboarding.views import System
from shared.errors import DuewatchError, NotFound, Unsupported
from shared.events.envelope import encode
from shared.events.onboarding import ImportFormat, ImportMode
from shared.http.auth import requires, router
from shared.http.idempotency import idempotency_key
from shared.http.limits import Busy
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reader = Annotated[Principal, requires(Permission.IMPORTS_READ)]
Writer = Annotated[Principal, requires(Permission.IMPORTS_WRITE)]
_FORMATS: dict[str, ImportFormat] = {"text/csv": "csv", "application/x-ndjson": "ndjson"}
_MOST_HELD = 20  # of one tenant, coming in or waiting: files must not pile up faster than they are worked on
_TRY_AGAIN_S = 30
_JSON, _NDJSON = "application/json", "application/x-ndjson"


class Received(BaseModel):
    """The import that will read the file."""

    id: str


class ImportView(BaseModel):
    """An import and how far it is; `size` and `bytes_read` are bytes of its file."""

    id: str
    state: State
    reason: str | None
    rows: int
    created: int
    updated: int
    unchanged: int
    rejected: int
    source_system: str
    mode: ImportMode
    format: ImportFormat
    size: int
    bytes_read: int
    requested_by: str
    received_at: datetime
    ended_at: datetime | None


def _view(found: Document[Import]) -> dict[str, object]:
    s = found.state
    return {
        "id": found.id,
        "state": s.state,
        "reason": s.reason or None,
        "rows": s.counts.rows,
        "created": s.counts.created,
        "updated": s.counts.updated,
        "unchanged": s.counts.unchanged,
        "rejected": s.counts.rejected,
        "source_system": s.source_system,
        "mode": s.mode,
        "format": s.format,
        "size": s.size,
        "bytes_read": s.offset,
        "requested_by": s.requested_by,
        "received_at": s.received_at,
        "ended_at": s.ended_at,
    }


def _format(headers: Headers) -> ImportFormat:
    """By the content type; its charset, where given, must be UTF-8. A compressed file would grow beyond every limit."""
    name, *parameters = [part.strip() for part in headers.get("content-type", "").lower().split(";")]
    stated = dict(part.partition("=")[::2] for part in parameters)
    if name not in _FORMATS:
        raise Unsupported("Send text/csv or application/x-ndjson")
    if stated.get("charset", "utf-8").strip('"') not in ("utf-8", "utf8", "us-ascii"):
        raise Unsupported("The file must be UTF-8")
    if stated.get("header", "present") != "present":  # RFC 4180, 3
        raise Unsupported("The first line must be the header: number,name,country")
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Unsupported("Send the file as it is, not compressed")
    return _FORMATS[name]


def routers(ctx: Context) -> list[APIRouter]:
    """The routes of imports."""
    routes = router("/v1/supplier-imports", tag="supplier imports")
    files = Files(ctx.folder)

    @routes.post(
        "",
        status_code=202,
        response_model=Received,
        openapi_extra={"requestBody": {"required": True, "content": {name: {"schema": {"type": "string"}} for name in _FORMATS}}},
    )
    async def receive(
        request: Request,
        caller: Writer,
        source_system: Annotated[System, Query(description="the system whose vendor numbers these are")],
        mode: Annotated[ImportMode, Query(description="`dry_run` tells what would happen, and writes nothing")],
        key_header: Annotated[str | None, Header(alias="Idempotency-Key")] = None,
    ) -> Response:
        """Stores a file of suppliers, text/csv or application/x-ndjson in UTF-8, streamed; after the answer nothing of it is lost."""
        kind, key = _format(request.headers), idempotency_key(key_header)
        if files.held(caller.tenant) >= _MOST_HELD:
            raise Busy(_TRY_AGAIN_S, f"{_MOST_HELD} imports wait already; send this one again when some are done")
        import_id = derive("imp", caller.tenant, "supplier-imports", caller.subject, key) if key else ctx.ids.new("imp")
        stored = await files.store(files.name(ctx.clock.now(), caller.tenant, import_id, ctx.ids.new("up")), request.stream())
        digest = hashlib.sha256("\x1f".join((source_system, mode, kind, stored.digest)).encode()).hexdigest()
        command = Receive(source_system=source_system, mode=mode, format=kind, upload=stored.name, size=stored.size, digest=digest)
        cause = Cause(derive("cmd", import_id, "receive"), "command.import-receive", correlation=import_id, actor=caller.subject)
        message = Message(command, cause, key=f"{caller.subject} {key}" if key else "", digest=digest, answer=_received if key else None)
        try:
            outcome = await ctx.kernel.execute(Item(IMPORTS, caller.tenant, import_id, message))
        except DuewatchError:  # at any other error it may yet have been written: then the file is needed
            files.discard(stored.name)
            raise
        if not outcome.changed:  # a repeat: the first one's file is the one that counts
            files.discard(stored.name)
        assert outcome.document is not None
        return Response(_received(outcome.document), 202, {"Location": f"/v1/supplier-imports/{import_id}"}, _JSON)

    async def get(tenant: str, import_id: str) -> Document[Import]:
        found = await ctx.kernel.get(IMPORTS, tenant, import_id)
        if found is None:
            raise NotFound("No import with this id")
        return found

    @routes.get("/{import_id}", response_model=ImportView)
    async def read(import_id: str, caller: Reader) -> Response:
        """How far an import is."""
        return Response(encode(_view(await get(caller.tenant, import_id))), media_type=_JSON)

    @routes.get("/{import_id}/results", response_class=StreamingResponse)
    async def results(import_id: str, caller: Reader) -> Response:
        """What became of each row so far: NDJSON, a line a row."""
        found = await get(caller.tenant, import_id)
        return StreamingResponse(files.read_results(found.id, found.state.results_bytes), media_type=_NDJSON)

    @routes.get("", response_model=Page[ImportView])
    async def find(caller: Reader, asked: PageAsked, state: Literal["running", "done", "failed"] | None = None) -> Response:
        """The tenant's imports."""
        (after,) = asked.after(str) or ("",)
        where = {"state": state} if state else {}
        stored = await ctx.store.find(IMPORTS.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        shown = stored[: asked.limit]
        items = [_view(document(IMPORTS, one)) for one in shown]
        return Response(encode(page(items, cursor_after(shown[-1].id) if len(stored) > len(shown) else None)), media_type=_JSON)

    return [routes]


def _received(found: Document[Import]) -> bytes:
    return msgspec.json.encode({"id": found.id})
