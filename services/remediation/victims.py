"""Referrals of victims over HTTP: who may read victims' data, and nobody else, gets here; nothing of it leaves this file unsealed.

No Idempotency-Key is kept with a digest of what was asked: a digest of a few known facts about a person would give them away. A repeated request
is known by its referral's id and compared with what is sealed there.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path

from services.remediation.commands import EndReferral, NoteReferral, NoteReferralEnd, OpenReferral
from services.remediation.model import CASES
from services.remediation.referral import REFERRALS, Referral, ReferralState
from services.remediation.views import OutcomeBody, ReferralBody, WorkerRef
from shared.errors import Conflict, NotFound
from shared.events.envelope import encode
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.idempotency import IdempotencyAsked
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal
from shared.security.sealing import Sealed

CaseId = Annotated[str, Path(max_length=100)]
ReferralId = Annotated[str, Path(max_length=100)]
Reader = Annotated[Principal, requires(Permission.VICTIMS_READ)]
_PATH = "/v1/cases/{case_id}/referrals"


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What is sealed of a referral."""

    service: str
    details: str
    worker_ref: str | None = None


class ReferralSummary(Body):
    """That there is a referral, and whether it is open."""

    id: str
    version: int
    case_id: str
    state: ReferralState
    opened_by: str
    opened_at: datetime
    ended_by: str
    ended_at: datetime | None


class ReferralView(ReferralSummary):
    """A referral, unsealed."""

    service: str
    details: str
    worker_ref: WorkerRef | None
    note: str | None


class _Vault:
    """Seals and opens the parts of one tenant's referrals."""

    def __init__(self, ctx: Context) -> None:
        self._sealer = ctx.sealer

    def seal(self, text: bytes, tenant: str, referral_id: str, part: Literal["content", "note"]) -> Sealed:
        return self._sealer.seal(text, context=f"{tenant}/referral/{referral_id}/{part}")

    def content(self, found: Document[Referral]) -> Content:
        text = self._sealer.open(found.state.content, context=f"{found.tenant}/referral/{found.id}/content")
        return msgspec.json.decode(text, type=Content)

    def note(self, found: Document[Referral]) -> str | None:
        sealed = found.state.note
        return self._sealer.open(sealed, context=f"{found.tenant}/referral/{found.id}/note").decode() if sealed else None


def _fields(found: Document[Referral]) -> dict[str, Any]:
    shown = ("case_id", "state", "opened_by", "opened_at", "ended_by", "ended_at")
    return {"id": found.id, "version": found.version} | {name: getattr(found.state, name) for name in shown}


def victims_router(ctx: Context) -> APIRouter:
    """The routes of referrals."""
    routes, vault = router(_PATH, tag="referrals"), _Vault(ctx)

    async def one(case_id: str, referral_id: str, caller: Principal) -> Document[Referral]:
        found = await ctx.kernel.get(REFERRALS, caller.tenant, referral_id)
        if found is None or found.state.case_id != case_id:
            raise NotFound("No referral with this id in this case")
        return found

    async def both(case_id: str, referral_id: str, caller: Principal, name: str, of_case: Any, of_referral: Any) -> Document[Referral]:
        """In one commit, so that no case is closed over a referral that it does not know of."""
        cause = Cause(ctx.ids.new("cmd"), f"command.referral.{name}", actor=caller.subject)
        items = [
            Item(CASES, caller.tenant, case_id, Message(of_case, cause)),
            Item(REFERRALS, caller.tenant, referral_id, Message(of_referral, cause)),
        ]
        found = (await ctx.kernel.apply_many(items, strict=True))[1].document
        assert found is not None
        return found

    async def undo(case_id: str, referral_id: str, caller: Principal) -> None:
        """Where the case was closed in the same moment, its half of the commit was lost and refused, but the referral may stand: it ends."""
        case = await ctx.kernel.get(CASES, caller.tenant, case_id)
        known = case is not None and any(link.id == referral_id for link in case.state.referrals)
        if not known and await ctx.kernel.get(REFERRALS, caller.tenant, referral_id) is not None:
            end = EndReferral(case_id=case_id, outcome="declined", note=None)
            cause = Cause(ctx.ids.new("cmd"), "command.referral.undo", actor=caller.subject)
            await ctx.kernel.execute(Item(REFERRALS, caller.tenant, referral_id, Message(end, cause)))

    @routes.post("", status_code=201)
    async def refer(case_id: CaseId, body: ReferralBody, caller: Reader, asked: IdempotencyAsked) -> ReferralSummary:
        """Hands a person to a service; the case stays open until this has ended."""
        id_ = derive("ref", caller.tenant, case_id, caller.subject, asked.key) if asked else ctx.ids.new("ref")
        content = Content(service=body.service, details=body.details, worker_ref=body.worker_ref)
        found = await ctx.kernel.get(REFERRALS, caller.tenant, id_) if asked else None
        if found is not None and vault.content(found) != content:
            raise Conflict("This Idempotency-Key was used with another body")
        if found is None:
            sealed = vault.seal(encode(content), caller.tenant, id_, "content")
            command = OpenReferral(case_id=case_id, content=sealed)
            try:
                found = await both(case_id, id_, caller, "open", NoteReferral(referral_id=id_), command)
            except Conflict:
                await undo(case_id, id_, caller)
                raise
        return ReferralSummary(**_fields(found))

    @routes.get("", response_model=Page[ReferralSummary])
    async def find(case_id: CaseId, caller: Reader, asked: PageAsked) -> dict[str, Any]:
        """The referrals of a case, without their content."""
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(REFERRALS.kind, caller.tenant, {"case_id": case_id}, after=after, limit=asked.limit + 1)
        shown = stored[: asked.limit]
        more = cursor_after(shown[-1].id) if len(stored) > len(shown) else None
        return page([_fields(document(REFERRALS, each)) for each in shown], more)

    @routes.get("/{referral_id}")
    async def read(case_id: CaseId, referral_id: ReferralId, caller: Reader) -> ReferralView:
        """One referral, unsealed."""
        found = await one(case_id, referral_id, caller)
        content = msgspec.structs.asdict(vault.content(found))
        return ReferralView(**_fields(found), **content, note=vault.note(found))

    @routes.post("/{referral_id}/outcome")
    async def end(case_id: CaseId, referral_id: ReferralId, body: OutcomeBody, caller: Reader, asked: IdempotencyAsked) -> ReferralSummary:
        """The service took the person up, or the person declined. Asked again in the same words, it is the same end."""
        found = await one(case_id, referral_id, caller)
        if found.state.state != "open" and vault.note(found) != body.note:
            raise Conflict("This referral has ended otherwise")
        note = vault.seal(body.note.encode(), caller.tenant, referral_id, "note") if body.note else None
        command = EndReferral(case_id=case_id, outcome=body.outcome, note=note)
        found = await both(case_id, referral_id, caller, "end", NoteReferralEnd(referral_id=referral_id), command)
        return ReferralSummary(**_fields(found))

    return routes
