"""How people decide about matches: one by one, many with one reason, and the second person's word where it takes two."""

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter
from pydantic import Field

from services.screening.model import MATCH
from services.screening.reviews import REASON_CODES, Approve, Review, reason_of
from services.screening.state import MatchDocument, Outcome
from services.screening.views import view
from shared.errors import NotFound
from shared.events.envelope import encode
from shared.http.application import Body
from shared.http.auth import requires
from shared.http.checks import clean_text
from shared.http.idempotency import Idempotency, IdempotencyAsked, VersionAsked
from shared.http.strings import Text
from shared.ids import derive
from shared.kernel import aggregate as kernel
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

Id = Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[a-z]+_[0-9a-z]+$")]
_CODES = f"one of {', '.join(REASON_CODES)}; needed to clear, and `other` needs a note"


class ReviewBody(Body):
    """A person's decision about a match."""

    outcome: Literal["confirmed", "cleared", "escalated"]
    reason_code: Annotated[str | None, Field(max_length=40, description=_CODES)] = None
    note: Annotated[str, Field(max_length=4000)] = ""


class BulkReviewBody(ReviewBody):
    """The same decision about several matches."""

    ids: Annotated[list[Id], Field(min_length=1, max_length=500)]


class ApprovalBody(Body):
    """What a second person says to a proposed review."""

    outcome: Literal["approved", "rejected"]
    reason: Annotated[Text, Field(min_length=3, max_length=1000)]


def reviewing(ctx: Context, routes: APIRouter) -> None:
    """Reviews of matches."""
    review = requires(Permission.MATCHES_REVIEW)

    @routes.post("/matches/{match_id}/review")
    async def review_match(
        caller: Annotated[Principal, review], match_id: str, body: ReviewBody, repeat: IdempotencyAsked, expected: VersionAsked
    ) -> dict[str, Any]:
        """Confirms, clears or escalates a match. A cleared pair stays cleared until either side materially changes.

        On a list that forbids dealings it takes two people to confirm a match, to take that back, and to clear a strong one: the first call
        is a `proposal` and leaves the state as it was; the same outcome by somebody else, or an approval, settles it.

        `If-Match` with the `version` that was read refuses the review where the match was changed meanwhile, by another person or by the world.
        """
        command, cause = _command(ctx, caller, body, repeat, match_id)
        return await _executed(ctx, caller, match_id, command, cause, repeat, expected)

    @routes.post("/matches/{match_id}/approval")
    async def approve_review(
        caller: Annotated[Principal, review], match_id: str, body: ApprovalBody, repeat: IdempotencyAsked, expected: VersionAsked
    ) -> dict[str, Any]:
        """Approves what somebody else has proposed for a match, which acts from then on, or rejects it: then the match stays as it is."""
        command = Approve(body.outcome == "approved", body.reason, caller.subject)
        cause = _cause(ctx, caller, repeat, match_id, "command.approve_review")
        return await _executed(ctx, caller, match_id, command, cause, repeat, expected)

    @routes.post("/match-reviews")
    async def review_matches(caller: Annotated[Principal, review], body: BulkReviewBody, repeat: IdempotencyAsked) -> dict[str, Any]:
        """The same review for several matches, with one reason; what became of each, in the order asked, each by itself.

        `result`: the outcome where it acts, `proposed` where it waits for a second person, `refused` with the `error` that says why.
        """
        command, cause = _command(ctx, caller, body, repeat, "match-reviews")
        ids = list(dict.fromkeys(body.ids))
        known = await ctx.store.load("match", [(caller.tenant, id_) for id_ in ids])
        items = [_item(caller, id_, command, cause, repeat, None) for id_ in ids if (caller.tenant, id_) in known]
        done = {item.id: outcome for item, outcome in zip(items, await ctx.kernel.apply_many(items), strict=True)}
        return {"items": [_one_of_many(id_, done.get(id_)) for id_ in ids]}


async def match_of(ctx: Context, caller: Principal, match_id: str) -> Document[MatchDocument]:
    """A match of the caller's tenant; NotFound."""
    found = await ctx.kernel.get(MATCH, caller.tenant, match_id)
    if found is None:
        raise NotFound("There is no such match")
    return found


def _command(ctx: Context, caller: Principal, body: ReviewBody, repeat: Idempotency | None, what: str) -> tuple[Review, Cause]:
    """What is asked of each match, and the one cause of all that comes of it."""
    note = clean_text(body.note, "note") if body.note else ""
    outcome: Outcome = body.outcome
    command = Review(outcome, reason_of(outcome, body.reason_code, note), note, caller.subject)
    return command, _cause(ctx, caller, repeat, what, "command.review")


def _cause(ctx: Context, caller: Principal, repeat: Idempotency | None, what: str, type_: str) -> Cause:
    """The same one where the call is repeated with its key."""
    id_ = derive("cmd", caller.tenant, what, caller.subject, repeat.key if repeat else ctx.ids.new("key"))
    return Cause(id_, type_, actor=caller.subject)


def _item(caller: Principal, match_id: str, command: Any, cause: Cause, repeat: Idempotency | None, expected: int | None) -> Item:
    key, digest = (repeat.key, repeat.digest) if repeat else ("", "")
    return Item(MATCH, caller.tenant, match_id, Message(command, cause, key, digest, expected, answer=lambda d: encode(view(d))))


async def _executed(
    ctx: Context, caller: Principal, match_id: str, command: Any, cause: Cause, repeat: Idempotency | None, expected: int | None
) -> dict[str, Any]:
    await match_of(ctx, caller, match_id)
    return _answer(await ctx.kernel.execute(_item(caller, match_id, command, cause, repeat, expected)))


def _answer(outcome: kernel.Outcome) -> dict[str, Any]:
    """What was answered at first, where the command was repeated."""
    assert outcome.document is not None
    answered: dict[str, Any] = msgspec.json.decode(outcome.answer) if outcome.answer else view(outcome.document)
    return answered


def _one_of_many(match_id: str, outcome: kernel.Outcome | None) -> dict[str, Any]:
    if outcome is None or outcome.error is not None:
        return {"id": match_id, "result": "refused", "error": str(outcome.error) if outcome else NotFound.title}
    answered = _answer(outcome)
    return {"id": match_id, "result": "proposed" if answered["proposal"] else answered["state"], "state": answered["state"]}
