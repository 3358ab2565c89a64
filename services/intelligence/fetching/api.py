"""Fetching over HTTP: now, and how often by itself."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.intelligence.fetching.fetch import check_sources
from services.intelligence.fetching.model import LEAST_EVERY, MOST_EVERY, SCHEDULE, Schedule, SetSchedule
from services.intelligence.fetching.pulls import Puller, register
from services.intelligence.fetching.schedule import MOST_WAITING
from services.intelligence.own import registry
from services.intelligence.releases.model import RELEASE, Receive
from shared.events.envelope import PUBLIC
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.idempotency import IdempotencyAsked
from shared.http.limits import Busy
from shared.ids import derive
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.service import Context
from shared.security.egress import check_new_url
from shared.security.roles import Permission, Principal

Reader = Annotated[Principal, requires(Permission.LISTS_READ)]
Operator = Annotated[Principal, requires(Permission.LISTS_LOAD)]
_ANSWER_S = 100.0  # a caller is answered before a gateway gives up; the schedule has longer
_TRY_AGAIN_S = 5


class PullBody(Body):
    """Where to fetch from, where it is not the list's own addresses."""

    address: Annotated[str, Field(max_length=2000)] | None = None


class ScheduleBody(Body):
    """How often, in seconds; null: not by itself."""

    every_s: Annotated[int, Field(ge=LEAST_EVERY.total_seconds(), le=MOST_EVERY.total_seconds())] | None


class PulledView(BaseModel):
    """The release that came or, where nothing has changed, the one that it still is."""

    id: str
    outcome: Literal["received", "unchanged"]


class ScheduleView(BaseModel):
    """How often a list is fetched by itself (null: never), when next, and what became of it last. `failures`: one after the other, up to now."""

    every_s: int | None
    set_by: str | None
    next_pull: datetime | None
    attempted_at: datetime | None
    outcome: Literal["received", "unchanged", "failed"] | None
    reason: str | None
    failures: int
    release_id: str | None


def routers(ctx: Context) -> list[APIRouter]:
    """Pulls and schedules of lists."""
    routes, puller = router("/v1/lists", tag="lists"), Puller(ctx)

    @routes.post("/{list_id}/pulls", status_code=202, response_model=PulledView)
    async def pull(caller: Operator, list_id: str, body: PullBody, repeat: IdempotencyAsked) -> dict[str, str]:
        """Fetches the official files from their publisher's addresses, or one file or zip from the address given, through the egress guard."""
        spec = await registry.find(ctx, list_id)
        if await ctx.store.count(RELEASE.kind, PUBLIC, {"todo": 1}) >= MOST_WAITING:
            raise Busy(_TRY_AGAIN_S, f"{MOST_WAITING} releases wait already; send this one again when some are done")
        if body.address is not None:
            await check_new_url(body.address, ctx.networks)
        key, digest = (repeat.key, repeat.digest) if repeat else ("", "")
        id_ = derive("rel", list_id, caller.tenant, caller.subject, key) if key else ctx.ids.new("rel")
        before = await ctx.kernel.get(RELEASE, PUBLIC, id_) if key else None
        if before is not None:  # what the address gives by now is another matter
            await register(ctx, id_, caller.subject, Receive(list_id, before.state.sha256, before.state.size, "pull"), key, digest)
        elif body.address is not None:
            got = await puller.fetch_from(spec, body.address, _ANSWER_S)
            await register(ctx, id_, caller.subject, Receive(list_id, got.digest, got.size, "pull"), key, digest)
        else:
            pulled = await puller.pull(list_id, caller.subject, release_id=id_, seconds=_ANSWER_S, key=key, digest=digest)
            return {"id": pulled.release_id, "outcome": pulled.outcome}
        return {"id": id_, "outcome": "received"}

    @routes.get("/{list_id}/schedule", response_model=ScheduleView)
    async def get_schedule(caller: Reader, list_id: str) -> dict[str, Any]:
        """How often the list is fetched by itself, and what became of it last."""
        found = await ctx.kernel.get(SCHEDULE, PUBLIC, (await registry.find(ctx, list_id)).id)
        return _view(found.state if found else Schedule())

    @routes.put("/{list_id}/schedule", response_model=ScheduleView)
    async def put_schedule(caller: Operator, list_id: str, body: ScheduleBody) -> dict[str, Any]:
        """Has the list fetched so often by itself, whatever DUEWATCH_LISTS_PULL says; null pauses it."""
        spec = await registry.find(ctx, list_id)
        if body.every_s is not None:
            check_sources(spec, puller.source(list_id))
        cause = Cause(ctx.ids.new("cmd"), "command.list.schedule", list_id, caller.subject)
        outcome = await ctx.kernel.execute(Item(SCHEDULE, PUBLIC, list_id, Message(SetSchedule(body.every_s), cause)))
        assert outcome.document is not None
        return _view(outcome.document.state)

    return [routes]


def _view(state: Schedule) -> dict[str, Any]:
    return {
        "every_s": state.every_s,
        "set_by": state.set_by or None,
        "next_pull": state.next_at,
        "attempted_at": state.attempted_at,
        "outcome": state.outcome,
        "reason": state.reason or None,
        "failures": state.failures,
        "release_id": state.release_id or None,
    }
