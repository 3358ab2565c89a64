"""How people come in: matches and their review, sweeps; and ad-hoc screening, which needs the index and so runs where that is."""

import asyncio
import time
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from services.screening.model import MATCH, REASON_CODES, MatchDocument, Review, check_reason, happened, view
from services.screening.reactions import GROUP, Worker
from services.screening.sweep import SWEEP
from services.screening.sweep import view as sweep_view
from shared.errors import NotFound
from shared.events.envelope import PUBLIC, encode
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.checks import clean_text
from shared.http.idempotency import Idempotency, IdempotencyAsked, VersionAsked
from shared.http.pages import PageAsked, cursor_after, page
from shared.http.strings import Country, Name
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message, Outcome
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

_SWEEP_WAIT_S = 30.0
State = Literal["open", "escalated", "confirmed", "cleared", "withdrawn"]
Id = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z]+_[0-9a-z]+$")]


class ReviewBody(Body):
    """A person's decision about a match."""

    outcome: Literal["confirmed", "cleared", "escalated"]
    reason_code: Annotated[str, Field(max_length=40, description=f"one of {', '.join(REASON_CODES)}")] = "other"
    note: Annotated[str, Field(max_length=4000)] = ""


class BulkReviewBody(ReviewBody):
    """The same decision about several matches."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]


class ScreeningBody(Body):
    """A name to be held against all signals without storing anything."""

    name: Name
    country: Country | None = None
    kind: Annotated[Literal["organisation", "person", "vessel", "aircraft"] | None, Field(description="left out: whatever it is")] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10


def routers(ctx: Context) -> list[APIRouter]:
    """Matches and sweeps."""
    routes = router("/v1", tag="screening")
    read, review = requires(Permission.MATCHES_READ), requires(Permission.MATCHES_REVIEW)

    @routes.get("/matches")
    async def list_matches(
        caller: Annotated[Principal, read],
        asked: PageAsked,
        supplier_id: Annotated[str | None, Query(max_length=60)] = None,
        signal_id: Annotated[str | None, Query(max_length=200)] = None,
        state: State | None = None,
        strength: Literal["strong", "weak"] | None = None,
    ) -> dict[str, Any]:
        """Matches, by id."""
        given = {"supplier_id": supplier_id, "signal_id": signal_id, "state": state, "strength": strength}
        after = asked.after(str)
        where = {k: v for k, v in given.items() if v is not None}
        found = await ctx.store.find("match", caller.tenant, where, after=after[0] if after else "", limit=asked.limit + 1)
        items = [view(document(MATCH, stored)) for stored in found[: asked.limit]]
        return page(items, cursor_after(found[asked.limit - 1].id) if len(found) > asked.limit else None)

    @routes.get("/matches/{match_id}")
    async def get_match(caller: Annotated[Principal, read], match_id: str) -> dict[str, Any]:
        """One match, with the history of what happened to it, oldest first."""
        found = await _match(ctx, caller, match_id)
        return {**view(found), "history": [happened(row) for row in await ctx.store.history("match", caller.tenant, match_id)]}

    @routes.post("/matches/{match_id}/review")
    async def review_match(
        caller: Annotated[Principal, review], match_id: str, body: ReviewBody, repeat: IdempotencyAsked, expected: VersionAsked
    ) -> dict[str, Any]:
        """Confirms, clears or escalates a match. A cleared pair stays cleared until either side materially changes.

        `If-Match` with the `version` that was read refuses the review where the match was changed meanwhile, by another person or by the world.
        """
        await _match(ctx, caller, match_id)
        outcome = await ctx.kernel.execute(_item(ctx, caller, match_id, body, repeat, expected))
        answered: dict[str, Any] = msgspec.json.decode(outcome.answer) if outcome.answer else _answer(outcome)
        return answered

    @routes.post("/match-reviews")
    async def review_matches(caller: Annotated[Principal, review], body: BulkReviewBody, repeat: IdempotencyAsked) -> dict[str, Any]:
        """The same review for several matches; each outcome by itself, in the order asked: its new `state`, or the `error` that refused it."""
        check_reason(body.reason_code)
        ids = list(dict.fromkeys(body.ids))
        known = await ctx.store.load("match", [(caller.tenant, id_) for id_ in ids])
        items = [_item(ctx, caller, id_, body, repeat, None) for id_ in ids if (caller.tenant, id_) in known]
        done = {item.id: outcome for item, outcome in zip(items, await ctx.kernel.apply_many(items), strict=True)}
        return {"items": [_one_of_many(id_, done.get(id_)) for id_ in ids]}

    @routes.get("/sweeps/{sweep_id}")
    async def get_sweep(caller: Annotated[Principal, requires(Permission.SWEEPS_READ)], sweep_id: str) -> dict[str, Any]:
        """How far a release has been held against all suppliers, counting the caller's own.

        A release is announced before screening has read of it: an unknown sweep is waited for until screening has caught up.
        """
        end = time.monotonic() + _SWEEP_WAIT_S
        waits = ctx.nudged()
        while True:
            behind = await ctx.bus.behind(GROUP, "signals")
            found = await ctx.kernel.get(SWEEP, PUBLIC, sweep_id)
            if found is not None:
                return sweep_view(sweep_id, found.state, caller.tenant)
            if not behind or time.monotonic() > end:
                raise NotFound("There is no such sweep")
            await waits.wait(0.1)

    return [routes]


async def _match(ctx: Context, caller: Principal, match_id: str) -> Document[MatchDocument]:
    found = await ctx.kernel.get(MATCH, caller.tenant, match_id)
    if found is None:
        raise NotFound("There is no such match")
    return found


def _item(ctx: Context, caller: Principal, match_id: str, body: ReviewBody, repeat: Idempotency | None, expected: int | None) -> Item:
    key, digest = (repeat.key, repeat.digest) if repeat else ("", "")
    command = Review(body.outcome, body.reason_code, clean_text(body.note, "note") if body.note else "", caller.subject)
    cause_id = derive("cmd", caller.tenant, match_id, caller.subject, key or ctx.ids.new("key"))
    cause = Cause(cause_id, "command.review", actor=caller.subject)
    message = Message(command, cause, key, digest, expected, answer=lambda d: encode(view(d)))
    return Item(MATCH, caller.tenant, match_id, message)


def _answer(outcome: Outcome) -> dict[str, Any]:
    assert outcome.document is not None
    return view(outcome.document)


def _one_of_many(match_id: str, outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"id": match_id, "error": NotFound.title}
    if outcome.error is not None:
        return {"id": match_id, "error": str(outcome.error)}
    return {"id": match_id, "state": _answer(outcome)["state"]}


def ad_hoc(worker: Worker) -> APIRouter:
    """Ad-hoc screening."""
    routes = router("/v1", tag="screening")
    one_at_a_time = asyncio.Semaphore(1)  # it runs where the reactions run, between their batches

    @routes.post("/screenings")
    async def screen(caller: Annotated[Principal, requires(Permission.SCREENING_ASK)], body: ScreeningBody) -> dict[str, Any]:
        """Signals that a name resembles, best first, with the reasons by word. Nothing is stored."""
        countries = [body.country] if body.country else []
        async with one_at_a_time:
            found = worker.join.ask(caller.tenant, body.name, schema=body.kind, countries=countries, limit=body.limit)
        return {
            "candidates": [
                {
                    "score": hit.score,
                    "strength": worker.strength(hit.score),
                    "signal": {
                        "kind": ref.source.kind, "id": ref.id, "list": ref.source.list, "uid": ref.source.uid,
                        "finding_id": ref.source.finding_id, "name": hit.name, "schema": ref.schema, "programs": ref.source.programs,
                    },
                    "why": [{"kind": w.kind, "asked": w.a, "found": w.b, "score": w.score} for w in hit.why],
                }
                for hit, ref in found
            ],
            "screenable": worker.screenable(body.name),
        }  # fmt: skip

    return routes
