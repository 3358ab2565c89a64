"""Lists over HTTP: releases come in as the official files, and what is in force can be read."""

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import FileResponse
from pydantic import Field

from services.intelligence.lists.spec import ListFile
from services.intelligence.own import registry
from services.intelligence.releases import raw, views
from services.intelligence.releases.entries import entry_view, history
from services.intelligence.releases.listed import also_listed
from services.intelligence.releases.loading import in_force, releases
from services.intelligence.releases.model import ENTRY, RELEASE, LetIn, Receive, Release, entry_id, view
from services.intelligence.releases.quarantine import quarantined
from services.intelligence.releases.status import status
from shared.errors import Conflict, NotFound
from shared.events.envelope import PUBLIC, encode
from shared.events.intelligence import ReleaseState
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.idempotency import IdempotencyAsked, idempotency_key
from shared.http.limits import Busy
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.http.strings import Text
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Reader = Annotated[Principal, requires(Permission.LISTS_READ)]
Operator = Annotated[Principal, requires(Permission.LISTS_LOAD)]


class AcceptanceBody(Body):
    """Why a refused release may act."""

    reason: Annotated[Text, Field(min_length=3, max_length=1_000)]


_MOST_WAITING = 20  # each is compared with the one before it: whoever sends faster than that is told so, or the newest would act hours late
_TRY_AGAIN_S = 5


def _received(found: Document[Release]) -> bytes:
    return encode({"id": found.id})


def routers(ctx: Context) -> list[APIRouter]:
    """Lists, releases, entries."""
    routes = router("/v1/lists", tag="lists")

    def id_of(list_id: str, caller: Principal, key: str | None) -> str:
        return derive("rel", list_id, caller.tenant, caller.subject, key) if key else ctx.ids.new("rel")

    async def room_for_one() -> None:
        if await ctx.store.count(RELEASE.kind, PUBLIC, {"todo": 1}) >= _MOST_WAITING:
            raise Busy(_TRY_AGAIN_S, f"{_MOST_WAITING} releases wait already; send this one again when some are done")

    async def register(id_: str, caller: Principal, body: Receive, key: str | None, digest: str) -> dict[str, str]:
        cause = Cause(derive("cmd", id_, "receive"), "command.release.receive", id_, caller.subject)
        message = Message(body, cause, key or "", digest if key else "", answer=_received)
        await ctx.kernel.execute(Item(RELEASE, PUBLIC, id_, message))
        return {"id": id_}

    @routes.post("/{list_id}/releases", status_code=202, response_model=views.Received, openapi_extra={"requestBody": {"required": True, "content": {
        "application/zip": {"schema": {"type": "string", "format": "binary"}}, "text/csv": {"schema": {"type": "string"}}}}})  # fmt: skip
    async def post_release(
        request: Request, caller: Operator, list_id: str, key: Annotated[str | None, Header(alias="Idempotency-Key")] = None
    ) -> dict[str, str]:
        """The official file, or several as one zip; what the content is decides. It is worked on after the answer, and kept for good.

        503 with Retry-After while 20 wait already.
        """
        await registry.find(ctx, list_id)
        await room_for_one()
        key = idempotency_key(key)
        got = await raw.receive(ctx, request.stream())
        body = Receive(list_id, got.digest, got.size, "upload")
        return await register(id_of(list_id, caller, key), caller, body, key, f"{list_id} {got.digest}")

    _reading(ctx, routes)
    return [routes]


def _reading(ctx: Context, routes: APIRouter) -> None:
    async def release_of(list_id: str, release_id: str) -> Document[Release]:
        await registry.find(ctx, list_id)
        found = await ctx.kernel.get(RELEASE, PUBLIC, release_id)
        if found is None or found.state.list != list_id:
            raise NotFound("There is no such release of this list")
        return found

    @routes.post("/{list_id}/releases/{release_id}/acceptance", response_model=views.ReleaseView)
    async def accept(caller: Operator, list_id: str, release_id: str, body: AcceptanceBody, repeat: IdempotencyAsked) -> dict[str, Any]:
        """Lets in a release that a guard refused; who did so and why stays with it. Refused (409) where one that came later acts by now."""
        found = await release_of(list_id, release_id)
        acts = await in_force(ctx, list_id)
        if found.state.state == "refused" and acts and acts.state.received_at > found.state.received_at:
            raise Conflict("A release that came later acts by now, and this one was compared with the one before; load it again")
        cause = Cause(ctx.ids.new("cmd"), "command.release.accept", found.id, caller.subject)
        message = Message(LetIn(body.reason), cause, repeat.key if repeat else "", repeat.digest if repeat else "")
        outcome = await ctx.kernel.execute(Item(RELEASE, PUBLIC, found.id, message))
        assert outcome.document is not None
        return view(outcome.document)

    @routes.get("/{list_id}/releases/{release_id}", response_model=views.ReleaseView)
    async def get_release(caller: Reader, list_id: str, release_id: str) -> dict[str, Any]:
        """A release: what it held, what it changed, whether it acts."""
        return view(await release_of(list_id, release_id))

    @routes.get("/{list_id}/releases/{release_id}/raw", response_class=FileResponse)
    async def get_raw(caller: Reader, list_id: str, release_id: str) -> FileResponse:
        """The bytes as they were received."""
        found = await release_of(list_id, release_id)
        return FileResponse(
            raw.raw_file(ctx, found.state.sha256), media_type="application/octet-stream", filename=f"{list_id}-{release_id}"
        )

    @routes.get("/{list_id}/releases/{release_id}/quarantined", response_model=Page[views.QuarantinedView])
    async def list_quarantined(caller: Reader, list_id: str, release_id: str, asked: PageAsked) -> dict[str, Any]:
        """All records of a release that became no entry, by row: where each stands and why."""
        found, after = await release_of(list_id, release_id), asked.after(int)
        kept = await asyncio.to_thread(quarantined, ctx, found.id, after[0] if after else 0, asked.limit)
        if kept is None:  # none, or one from before all were written down
            return page([{"row": row.row, "reason": row.reason, "uid": None} for row in found.state.unread], None)
        return page(msgspec.to_builtins(kept[0]), cursor_after(kept[1]) if kept[1] is not None else None)

    @routes.get("/{list_id}/releases", response_model=Page[views.ReleaseView])
    async def list_releases(caller: Reader, list_id: str, asked: PageAsked, state: ReleaseState | None = None) -> dict[str, Any]:
        """All releases of a list, by id; those in one state, if asked for."""
        await registry.find(ctx, list_id)
        where = {"list": list_id} if state is None else {"list": list_id, "state": state}
        return await _page(ctx, "release", where, asked, lambda s: view(document(RELEASE, s)))

    @routes.get("/{list_id}/entries", response_model=Page[views.EntryView], response_model_exclude_unset=True)
    async def list_entries(caller: Reader, list_id: str, asked: PageAsked) -> dict[str, Any]:
        """The entries in force, by id."""
        await registry.find(ctx, list_id)
        return await _page(ctx, "entry", {"list": list_id}, asked, lambda s: entry_view(document(ENTRY, s)))

    @routes.get("/{list_id}/entries/{uid:path}", response_model=views.EntryWithHistory, response_model_exclude_unset=True)
    async def get_entry(caller: Reader, list_id: str, uid: str, withdrawn: bool = False) -> dict[str, Any]:
        """An entry in force, by the publisher's own id, with its changes from release to release; with `withdrawn` also one that is gone."""
        await registry.find(ctx, list_id)
        found = await ctx.kernel.get(ENTRY, PUBLIC, entry_id(list_id, uid)) if len(uid) <= 200 else None
        if found is None or not (found.state.live or withdrawn):
            raise NotFound("There is no such entry in force; ask with withdrawn=true for one that a release has removed")
        return {**entry_view(found), "history": await history(ctx, found.id), "also_listed_as": await also_listed(ctx, found)}

    @routes.get("", response_model=Page[views.ListView])
    async def list_lists(caller: Reader) -> dict[str, Any]:
        """The lists that can be loaded, each with the release that acts."""
        return page([await _list(ctx, spec.id) for spec in await registry.all_lists(ctx)], None)

    @routes.get("/status", response_model=Page[views.StatusView])
    async def list_status(caller: Reader) -> dict[str, Any]:
        """How all lists stand: release, age, records, changes, and whether somebody should look at one."""
        return page([await status(ctx, spec) for spec in await registry.all_lists(ctx)], None)

    @routes.get("/{list_id}", response_model=views.ListView)
    async def get_list(caller: Reader, list_id: str) -> dict[str, Any]:
        """One list."""
        return await _list(ctx, list_id)


async def _page(ctx: Context, kind: str, where: dict[str, Any], asked: Any, show: Any) -> dict[str, Any]:
    after = asked.after(str)
    found = await ctx.store.find(kind, PUBLIC, where, after=after[0] if after else "", limit=asked.limit + 1)
    more = len(found) > asked.limit
    return page([show(s) for s in found[: asked.limit]], cursor_after(found[asked.limit - 1].id) if more else None)


def _files(files: tuple[ListFile, ...]) -> list[dict[str, str]]:
    return [{"role": f.role, "name": f.name, "address": f.address} for f in files]


async def _list(ctx: Context, list_id: str) -> dict[str, Any]:
    """A list: `age_s` since its release came into force, `checked_at` when its publisher's files were last known to be that release."""
    spec, now = await registry.find(ctx, list_id), ctx.clock.now()
    release = await in_force(ctx, list_id)
    at = release.state.accepted_at if release else None
    refused = await releases(ctx, {"list": list_id, "state": "refused"})
    last = max(refused, key=lambda d: (d.state.received_at, d.id), default=None)
    return {
        "id": spec.id,
        "title": spec.title,
        "publisher": spec.publisher,
        "licence": spec.licence or None,
        "files": _files(spec.files),
        "layouts": [{"name": layout.name, "files": _files(layout.files)} for layout in spec.layouts],
        "addresses": spec.addresses,
        "entries": await ctx.store.count("entry", PUBLIC, {"list": list_id}),
        "release": view(release) if release else None,
        "age_s": round((now - at).total_seconds()) if at else None,
        "checked_at": release.state.seen_at or at if release else None,
        "last_refused": view(last) if last else None,
    }
