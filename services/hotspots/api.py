"""How people come in: hot-spots to look at. Nobody opens or closes one: what they rest on can be retracted, or a match reviewed again."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path

from services.hotspots.model import HOTSPOT, view
from shared.errors import NotFound
from shared.events.hotspots import SpotKind
from shared.http.auth import requires, router
from shared.http.pages import PageAsked, cursor_after, page
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

State = Literal["open", "closed", "quiet"]


def routers(ctx: Context) -> list[APIRouter]:
    """Hot-spots and the windows that are none, or none any more."""
    routes, read = router("/v1", tag="hotspots"), requires(Permission.FINDINGS_READ)

    @routes.get("/hotspots")
    async def list_hotspots(
        caller: Annotated[Principal, read], asked: PageAsked, state: State | None = None, kind: SpotKind | None = None
    ) -> dict[str, Any]:
        """By id. `quiet`: something was seen there, never enough; where Faust counts, only what came near."""
        where = {name: value for name, value in (("state", state), ("kind", kind)) if value is not None}
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(HOTSPOT.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        now = ctx.clock.now()
        items = [view(document(HOTSPOT, one), now) for one in stored[: asked.limit]]
        return page(items, cursor_after(items[-1]["id"]) if len(stored) > len(items) else None)

    @routes.get("/hotspots/{hotspot_id}")
    async def get_hotspot(caller: Annotated[Principal, read], hotspot_id: Annotated[str, Path(max_length=100)]) -> dict[str, Any]:
        """One of them, with the findings' signals and the matches that it rests on."""
        found = await ctx.kernel.get(HOTSPOT, caller.tenant, hotspot_id)
        if found is None:
            raise NotFound("There is no such hot-spot")
        return view(found, ctx.clock.now())

    return [routes]
