"""Reports over HTTP: who sent one sees what became of it, analysts read it, a custodian opens its sender, an admin erases it.

No Idempotency-Key is kept with a digest of what was sent, and no command names the sender as its actor: either would give somebody away. A repeated
request is known by its report's id and compared with what is sealed there.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from services.intelligence.findings import views
from services.intelligence.findings.model import FINDING, Finding, Shred
from services.intelligence.findings.reports import REPORT, Erase, OpenSender, Report, Submit
from services.intelligence.findings.vault import Vault
from shared.errors import Conflict, NotFound
from shared.http.auth import requires, router
from shared.http.idempotency import IdempotencyAsked
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

ReportId = Annotated[str, Path(max_length=100)]
Reporter = Annotated[Principal, requires(Permission.REPORTS_SEND)]
Follower = Annotated[Principal, requires(Permission.REPORTS_SEND, Permission.REPORTS_READ)]
Custodian = Annotated[Principal, requires(Permission.REPORTERS_OPEN)]
Eraser = Annotated[Principal, requires(Permission.REPORTS_ERASE)]  # what of all roles only a tenant's admin holds


class Reports:
    """Reports of one process, with what belongs to them."""

    def __init__(self, ctx: Context, vault: Vault) -> None:
        self.ctx, self.vault = ctx, vault

    async def one(self, caller: Principal, report_id: str) -> Document[Report]:
        """Of the caller's tenant."""
        found = await self.ctx.kernel.get(REPORT, caller.tenant, report_id)
        if found is None:
            raise NotFound("There is no such report")
        return found

    async def findings(self, report: Document[Report]) -> list[Document[Finding]]:
        """All that were drafted from it, oldest first."""
        stored = await self.ctx.store.find(FINDING.kind, report.tenant, {"report_id": report.id}, limit=500)
        return sorted((document(FINDING, each) for each in stored), key=lambda f: (f.state.drafted_at, f.id))

    async def is_own(self, caller: Principal, report: Document[Report]) -> bool:
        """Whether the caller sent it."""
        return bool(report.state.sender == await self.vault.sender(caller.tenant, caller.subject))

    async def send(self, caller: Principal, body: views.ReportBody, key: str | None) -> str:
        """Seals and keeps it; the id."""
        tenant, seal = caller.tenant, self.vault.seal
        sender = await self.vault.sender(tenant, caller.subject)
        id_ = derive("rep", tenant, sender, key) if key else self.ctx.ids.new("rep")
        about, indicators = views.about_of(body.about), tuple(dict.fromkeys(body.indicators))
        before = await self.ctx.kernel.get(REPORT, tenant, id_) if key else None
        if before is None:
            receipt = self.vault.receipt_digest(tenant, await self.vault.receipt(tenant, id_))
            command = Submit(
                about=about, indicators=indicators, text=seal(body.text, tenant, id_, "text"),
                identity=seal(caller.subject, tenant, id_, "identity"), sender=sender, receipt=receipt,
            )  # fmt: skip
            message = Message(command, Cause(derive("cmd", id_, "send"), "command.report.send"))
            outcome = await self.ctx.kernel.execute(Item(REPORT, tenant, id_, message))
            before = outcome.document
            assert before is not None
        s = before.state
        if s.erased_at is None and (s.about, s.indicators, self.vault.open(s.text, tenant, id_, "text")) != (about, indicators, body.text):
            raise Conflict("This Idempotency-Key was used with another body")
        return id_

    async def erase(self, caller: Principal, report: Document[Report], command: Erase) -> None:
        """The report's keys, then those of its findings, then what its journal says; asked again after a crash, the rest."""
        cause = Cause(self.ctx.ids.new("cmd"), "command.report.erase", actor=caller.subject)
        await self.ctx.kernel.execute(Item(REPORT, caller.tenant, report.id, Message(command, cause)))
        gone = [Item(FINDING, caller.tenant, f.id, Message(Shred(), cause)) for f in await self.findings(report)]
        await self.ctx.kernel.apply_many(gone, strict=True)
        await self.ctx.store.erase(REPORT.kind, caller.tenant, report.id)


def reports_router(ctx: Context, vault: Vault) -> APIRouter:
    """The routes of reports."""
    routes, reports = router("/v1/reports", tag="reports"), Reports(ctx, vault)

    @routes.post("", status_code=201, response_model=views.Sent)
    async def send(body: views.ReportBody, caller: Reporter, asked: IdempotencyAsked) -> dict[str, str]:
        """Tells us of abuse. Text and sender are sealed; keep the receipt."""
        id_ = await reports.send(caller, body, asked.key if asked else None)
        return {"id": id_, "receipt": await vault.receipt(caller.tenant, id_)}

    @routes.get("", response_model=Page[views.ReportView | views.Followed])
    async def find(
        caller: Follower,
        asked: PageAsked,
        receipt: Annotated[str | None, Query(max_length=100, description="the report of this receipt")] = None,
    ) -> dict[str, Any]:
        """For analysts all reports, without texts; for a sender what became of the own ones, or of the one whose receipt is given."""
        reads, where = caller.may(Permission.REPORTS_READ), {}
        if receipt is not None:
            where["receipt"] = vault.receipt_digest(caller.tenant, receipt)
        elif not reads:
            where["sender"] = await vault.sender(caller.tenant, caller.subject)
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(REPORT.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        found = [document(REPORT, each) for each in stored[: asked.limit]]
        show = views.report_view if reads else views.followed
        more = cursor_after(found[-1].id) if len(stored) > len(found) else None
        return page([show(each, await reports.findings(each)) for each in found], more)

    @routes.get("/{report_id}", response_model=views.ReportView | views.Followed)
    async def read(report_id: ReportId, caller: Follower) -> dict[str, Any]:
        """For analysts the whole report but its sender; for a sender what became of an own one."""
        found = await reports.one(caller, report_id)
        findings = await reports.findings(found)
        if caller.may(Permission.REPORTS_READ):
            text = None if found.state.erased_at else vault.open(found.state.text, found.tenant, found.id, "text")
            return views.report_view(found, findings, text)
        if not await reports.is_own(caller, found):
            raise NotFound("There is no such report")
        return views.followed(found, findings)

    @routes.post("/{report_id}/identity", response_model=views.Identity)
    async def identity(report_id: ReportId, body: views.ReasonBody, caller: Custodian) -> dict[str, str]:
        """Opens who sent it, once the journal says who opened it and why."""
        cause = Cause(ctx.ids.new("cmd"), "command.report.open_sender", actor=caller.subject)
        item = Item(REPORT, caller.tenant, report_id, Message(OpenSender(body.reason), cause))
        found = (await ctx.kernel.execute(item)).document
        assert found is not None
        return {"id": found.id, "subject": vault.open(found.state.identity, found.tenant, found.id, "identity")}

    @routes.delete("/{report_id}", response_model=views.Followed)
    async def erase(report_id: ReportId, body: views.ErasureBody, caller: Eraser) -> dict[str, Any]:
        """Erases its keys: nobody can read it, its sender, or what was written about it again. Drafts of it end; a verified finding holds until retracted."""
        await reports.erase(caller, await reports.one(caller, report_id), Erase(body.reason))
        found = await reports.one(caller, report_id)
        return views.followed(found, await reports.findings(found))

    return routes
