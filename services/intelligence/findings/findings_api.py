"""Findings over HTTP: drafted from a report, verified or rejected by somebody else, retracted. Repeats are known by what stands, not by a digest."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from services.intelligence.findings import views
from services.intelligence.findings.model import FINDING, Draft, Finding, Retract, Shred, State, Verify
from services.intelligence.findings.reports_api import ReportId, Reports
from services.intelligence.findings.vault import Part, Vault
from shared.errors import Conflict, NotFound
from shared.http.auth import requires, router
from shared.http.idempotency import IdempotencyAsked
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal
from shared.security.sealing import Sealed

FindingId = Annotated[str, Path(max_length=100)]
Reader = Annotated[Principal, requires(Permission.FINDINGS_READ)]
Writer = Annotated[Principal, requires(Permission.FINDINGS_WRITE)]
_OPEN = ("draft", "verified")


class _Findings:
    def __init__(self, ctx: Context, vault: Vault) -> None:
        self.ctx, self.vault, self.reports = ctx, vault, Reports(ctx, vault)

    async def one(self, caller: Principal, finding_id: str) -> Document[Finding]:
        found = await self.ctx.kernel.get(FINDING, caller.tenant, finding_id)
        if found is None:
            raise NotFound("There is no such finding")
        return found

    async def take(self, caller: Principal, finding_id: str, command: Draft | Verify | Retract | Shred) -> Document[Finding]:
        cause = Cause(self.ctx.ids.new("cmd"), f"command.finding.{type(command).__name__.lower()}", actor=caller.subject)
        found = (await self.ctx.kernel.execute(Item(FINDING, caller.tenant, finding_id, Message(command, cause)))).document
        assert found is not None
        return found

    async def draft(self, caller: Principal, report_id: str, summary: str, key: str | None) -> Document[Finding]:
        report = await self.reports.one(caller, report_id)
        before = await self.reports.findings(report)
        asked = derive("key", caller.subject, key) if key else ""
        for found in before:
            if asked and found.state.asked == asked:
                if not self.says(found, found.state.summary, "summary", summary):
                    raise Conflict("This Idempotency-Key was used with another body")
                return found
        if report.state.about is None:
            raise Conflict("This report was erased")
        if any(found.state.state in _OPEN for found in before):
            raise Conflict("This report has a finding that is open")
        id_ = derive("fnd", caller.tenant, report_id, str(len(before)))  # so that of two who draft at once, one loses
        sealed = self.vault.seal(summary, caller.tenant, id_, "summary")
        about, indicators = report.state.about, report.state.indicators
        command = Draft(finding_id=id_, report_id=report_id, about=about, indicators=indicators, summary=sealed, asked=asked)
        found = await self.take(caller, id_, command)
        if (await self.reports.one(caller, report_id)).state.erased_at:  # in between: it did not see this draft
            await self.take(caller, id_, Shred())
            raise Conflict("This report was erased")
        return found

    def says(self, found: Document[Finding], sealed: Sealed | None, part: Part, text: str) -> bool:
        """Whether a sealed part of it says just this."""
        return sealed is not None and not found.state.erased and self.vault.open(sealed, found.tenant, found.id, part) == text


def findings_router(ctx: Context, vault: Vault) -> APIRouter:
    """The routes of findings."""
    routes, findings = router("/v1", tag="findings"), _Findings(ctx, vault)

    @routes.post("/reports/{report_id}/findings", status_code=201, response_model=views.FindingView)
    async def draft(report_id: ReportId, body: views.SummaryBody, caller: Writer, asked: IdempotencyAsked) -> dict[str, Any]:
        """Drafts what we assert; one finding of a report is open at a time, another can follow one that was rejected or retracted."""
        return views.finding_view(vault, await findings.draft(caller, report_id, body.summary, asked.key if asked else None))

    @routes.post("/findings/{finding_id}/verification", response_model=views.FindingView)
    async def verify(finding_id: FindingId, body: views.VerificationBody, caller: Writer) -> dict[str, Any]:
        """Verified by somebody else than its drafter and the sender of its report, it is a signal. Asked again in the same words, it is the same."""
        found = await findings.one(caller, finding_id)
        s = found.state
        again = (s.state, s.decided_by) == (body.outcome, caller.subject) and findings.says(found, s.reason, "reason", body.reason)
        if not again:
            report = await findings.reports.one(caller, s.report_id)
            sealed = vault.seal(body.reason, caller.tenant, finding_id, "reason")
            command = Verify(outcome=body.outcome, reason=sealed, by_sender=await findings.reports.is_own(caller, report))
            found = await findings.take(caller, finding_id, command)
        return views.finding_view(vault, found)

    @routes.post("/findings/{finding_id}/retraction", response_model=views.FindingView)
    async def retract(finding_id: FindingId, body: views.ReasonBody, caller: Writer) -> dict[str, Any]:
        """Takes it back, and so all that it caused. Asked again in the same words, it is the same."""
        found = await findings.one(caller, finding_id)
        again = found.state.retracted_by == caller.subject and findings.says(found, found.state.retraction, "retraction", body.reason)
        if not again:
            found = await findings.take(caller, finding_id, Retract(vault.seal(body.reason, caller.tenant, finding_id, "retraction")))
        return views.finding_view(vault, found)

    @routes.get("/findings", response_model=Page[views.FindingView])
    async def find(
        caller: Reader,
        asked: PageAsked,
        state: State | None = None,
        report_id: Annotated[str | None, Query(max_length=100)] = None,
    ) -> dict[str, Any]:
        """Findings, by state and by report."""
        where = {name: value for name, value in (("state", state), ("report_id", report_id)) if value is not None}
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(FINDING.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        found = [document(FINDING, each) for each in stored[: asked.limit]]
        more = cursor_after(found[-1].id) if len(stored) > len(found) else None
        return page([views.finding_view(vault, each) for each in found], more)

    @routes.get("/findings/{finding_id}", response_model=views.FindingView)
    async def read(finding_id: FindingId, caller: Reader) -> dict[str, Any]:
        """One finding."""
        return views.finding_view(vault, await findings.one(caller, finding_id))

    return routes
