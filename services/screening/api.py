"""How people come in: matches in their queue, and sweeps; and ad-hoc screening, which needs the index and so runs where that is."""

import asyncio
import time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from services.screening.matching.facts import facts_of
from services.screening.model import MATCH
from services.screening.ranking import waiting
from services.screening.reactions import GROUP, Worker
from services.screening.reviews_api import match_of, reviewing
from services.screening.settings_api import setting
from services.screening.sweep import SWEEP
from services.screening.sweep import view as sweep_view
from services.screening.views import happened, view
from shared.errors import Invalid, NotFound
from shared.events.envelope import PUBLIC
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.pages import PageAsked, PageRequest, cursor_after, page
from shared.http.parties import IdentifierBody
from shared.http.strings import BirthDate, Country, Name
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

_SWEEP_WAIT_S = 30.0
# On servers a release is accepted before its event is on the bus: a moment, or until another process finds that its writer died.
_TOLD_S = 5.0
State = Literal["open", "escalated", "confirmed", "cleared", "withdrawn"]


class ScreeningBody(Body):
    """A name, and what is known beside it, to be held against all signals without storing anything."""

    name: Name
    country: Country | None = None
    kind: Annotated[Literal["organisation", "person", "vessel", "aircraft"] | None, Field(description="left out: whatever it is")] = None
    birth_date: Annotated[BirthDate | None, Field(description="of a person; the month or the year alone where no more is known")] = None
    identifiers: Annotated[list[IdentifierBody], Field(max_length=20, description="an equal one is found whatever the names are")] = []
    limit: Annotated[int, Field(ge=1, le=100)] = 10


def routers(ctx: Context) -> list[APIRouter]:
    """Matches, their review, and sweeps."""
    routes = router("/v1", tag="screening")
    read = requires(Permission.MATCHES_READ)

    @routes.get("/matches")
    async def list_matches(
        caller: Annotated[Principal, read],
        asked: PageAsked,
        supplier_id: Annotated[str | None, Query(max_length=60)] = None,
        signal_id: Annotated[str | None, Query(max_length=200)] = None,
        state: State | None = None,
        strength: Literal["strong", "weak"] | None = None,
        order: Annotated[Literal["id", "queue"], Query(description="queue: what waits for people, the most urgent first")] = "id",
        proposed: Annotated[bool, Query(description="with order=queue: reviews that wait for a second person")] = False,
    ) -> dict[str, Any]:
        """Matches by id; or, with `order=queue`, those that wait for people: `state=open` (default) or `escalated`, or `proposed=true`.

        The queue goes by `priority`: the score, which is a probability, times what the match would do, less where nothing is bought from the
        supplier; of equal ones the oldest first. It takes no other filter.
        """
        given = {"supplier_id": supplier_id, "signal_id": signal_id, "state": state, "strength": strength}
        where = {k: v for k, v in given.items() if v is not None}
        if order == "queue":
            return await _queue(ctx, caller.tenant, where, asked, proposed=proposed)
        if proposed:
            raise _not_so("proposed", "Ask for it with order=queue")
        after = asked.after(str)
        found = await ctx.store.find("match", caller.tenant, where, after=after[0] if after else "", limit=asked.limit + 1)
        items = [view(document(MATCH, stored)) for stored in found[: asked.limit]]
        return page(items, cursor_after(found[asked.limit - 1].id) if len(found) > asked.limit else None)

    @routes.get("/matches/{match_id}")
    async def get_match(caller: Annotated[Principal, read], match_id: str) -> dict[str, Any]:
        """One match, with the history of what happened to it, oldest first."""
        found = await match_of(ctx, caller, match_id)
        return {**view(found), "history": [happened(row) for row in await ctx.store.history("match", caller.tenant, match_id)]}

    reviewing(ctx, routes)

    @routes.get("/sweeps/{sweep_id}")
    async def get_sweep(caller: Annotated[Principal, requires(Permission.SWEEPS_READ)], sweep_id: str) -> dict[str, Any]:
        """How far a release has been held against all suppliers, counting the caller's own.

        A release is announced before screening has read of it: an unknown sweep is waited for, some seconds and until screening has caught up.
        """
        begun, waits = time.monotonic(), ctx.nudged()
        while True:
            waited = time.monotonic() - begun
            caught_up = waited > _TOLD_S and not await ctx.bus.behind(GROUP, "signals")
            found = await ctx.kernel.get(SWEEP, PUBLIC, sweep_id)
            if found is not None:
                return sweep_view(sweep_id, found.state, caller.tenant)
            if caught_up or waited > _SWEEP_WAIT_S:
                raise NotFound("There is no such sweep")
            await waits.wait(0.1, 0.02)

    return [routes, setting(ctx)]


async def _queue(ctx: Context, tenant: str, where: dict[str, str], asked: PageRequest, *, proposed: bool) -> dict[str, Any]:
    state = where.pop("state", None)
    if where:
        raise _not_so("order", "The queue takes no other filter than state or proposed")
    if state not in (None, "open", "escalated") or (proposed and state):
        raise _not_so("state", "The queue holds what is open or escalated, or what is proposed")
    found = await waiting(ctx, tenant, "proposed" if proposed else state or "open", asked.after(str, str), asked.limit + 1)
    documents = [document(MATCH, stored) for stored in found]
    shown = documents[: asked.limit]
    more = cursor_after(shown[-1].state.rank, shown[-1].id) if len(documents) > asked.limit else None
    return page([view(one) for one in shown], more)


def _not_so(field: str, message: str) -> Invalid:
    return Invalid("The matches cannot be listed so", errors=[{"field": field, "message": message}])


def ad_hoc(worker: Worker) -> APIRouter:
    """Ad-hoc screening."""
    routes = router("/v1", tag="screening")
    one_at_a_time = asyncio.Semaphore(1)  # it runs where the reactions run, between their batches

    @routes.post("/screenings")
    async def screen(caller: Annotated[Principal, requires(Permission.SCREENING_ASK)], body: ScreeningBody) -> dict[str, Any]:
        """Signals that a name resembles, best first, with the reasons by word. Nothing is stored."""
        countries = [body.country] if body.country else []
        identifiers = ((one.kind, one.value, one.country) for one in body.identifiers)
        facts = facts_of(identifiers=identifiers, birth_dates=[body.birth_date] if body.birth_date else [])
        async with one_at_a_time:
            found = worker.join.ask(caller.tenant, body.name, schema=body.kind, countries=countries, facts=facts, limit=body.limit)
        return {
            "candidates": [
                {
                    "score": hit.score,
                    "strength": worker.strength(hit, caller.tenant),
                    "signal": {
                        "kind": ref.source.kind, "id": ref.id, "list": ref.source.list, "uid": ref.source.uid,
                        "finding_id": ref.source.finding_id, "name": hit.name or ref.name, "schema": ref.schema, "programs": ref.source.programs,
                    },
                    "why": [{"kind": w.kind, "asked": w.a, "found": w.b, "score": w.score} for w in hit.why],
                }
                for hit, ref in found
            ],
            "screenable": worker.screenable(body.name),
        }  # fmt: skip

    return routes
