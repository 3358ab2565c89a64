"""Audits over HTTP: find and read, and each step of an audit as a POST to it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from services.audits import views
from services.audits.commands import (
    Assign,
    Close,
    Command,
    GiveReport,
    PlanVisit,
    RecordNonConformity,
    Start,
    SubmitEvidence,
    SubmitPlan,
    Verify,
)
from services.audits.model import AUDITS
from services.audits.state import Audit
from services.audits.views import evidence_of
from shared.errors import NotFound
from shared.events.followup import AuditState
from shared.http.auth import requires, router
from shared.http.idempotency import Idempotency, IdempotencyAsked, VersionAsked, etag
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

_PATH, _PLAN, _JSON = "/v1/audits", "/{audit_id}/corrective-action-plan", "application/json"
AuditId = Annotated[str, Path(max_length=100)]
PartId = Annotated[str, Path(max_length=20)]
Reader = Annotated[Principal, requires(Permission.AUDITS_READ)]
# The supplier's answer to an audit comes in through its auditors or through those who buy from it.
PlanReader = Annotated[Principal, requires(Permission.AUDITS_READ, Permission.SUPPLIERS_WRITE)]
Render = Callable[[Document[Audit]], bytes]


class _Asked(msgspec.Struct, frozen=True):
    """Who asks for a step, whether again, and on which version."""

    caller: Principal
    idempotency: Idempotency | None
    version: int | None


async def _by_auditor(
    caller: Annotated[Principal, requires(Permission.AUDITS_WRITE)], idempotency: IdempotencyAsked, version: VersionAsked
) -> _Asked:
    return _Asked(caller, idempotency, version)


async def _for_supplier(
    caller: Annotated[Principal, requires(Permission.AUDITS_WRITE, Permission.SUPPLIERS_WRITE)],
    idempotency: IdempotencyAsked,
    version: VersionAsked,
) -> _Asked:
    return _Asked(caller, idempotency, version)


ByAuditor = Annotated[_Asked, Depends(_by_auditor)]
ForSupplier = Annotated[_Asked, Depends(_for_supplier)]


def _shown(body: bytes, version: int) -> Response:
    return Response(body, 200, {"ETag": etag(version)}, _JSON)


class _Steps:
    """Carries steps out, and answers with what they made; a repeated one with its first answer."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def take(self, audit_id: str, command: Command, asked: _Asked, show: Render = views.summed_up, status: int = 200) -> Response:
        by, again = asked.caller, asked.idempotency
        name = type(command).__name__.lower()
        cause = Cause(
            derive("cmd", by.tenant, audit_id, by.subject, name, again.key) if again else self._ctx.ids.new("cmd"),
            f"command.audit.{name}",
            actor=by.subject,
        )
        message = Message(
            command,
            cause,
            key=f"{by.subject} {name} {again.key}" if again else "",
            digest=again.digest if again else "",
            expected=asked.version,
            answer=show if again else None,
        )
        outcome = await self._ctx.kernel.execute(Item(AUDITS, by.tenant, audit_id, message))
        assert outcome.document is not None
        if outcome.answer is not None and not outcome.changed:
            return Response(outcome.answer, status, media_type=_JSON)
        return Response(show(outcome.document), status, {"ETag": etag(outcome.document.version)}, _JSON)


def routers(ctx: Context) -> list[APIRouter]:
    """The routes of audits."""
    return [_reading(ctx), _auditing(ctx), _correcting(ctx)]


def _reading(ctx: Context) -> APIRouter:
    routes = router(_PATH, tag="audits")

    @routes.get("", response_model=Page[views.AuditSummary])
    async def find(
        caller: Reader,
        asked: PageAsked,
        supplier_id: Annotated[str | None, Query(max_length=100)] = None,
        state: AuditState | None = None,
        overdue: bool | None = None,
        auditor: Annotated[str | None, Query(max_length=200)] = None,
    ) -> dict[str, Any]:
        """Audits by supplier, state, auditor, or whether something about them is overdue."""
        wanted = {"supplier_id": supplier_id, "state": state, "overdue": None if overdue is None else int(overdue), "auditor": auditor}
        where = {name: value for name, value in wanted.items() if value is not None}
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(AUDITS.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        shown = stored[: asked.limit]
        more = cursor_after(shown[-1].id) if len(stored) > len(shown) else None
        return page([views.summary(document(AUDITS, one)) for one in shown], more)

    @routes.get("/{audit_id}", response_model=views.AuditView)
    async def read(audit_id: AuditId, caller: Reader) -> Response:
        """One audit, whole."""
        found = await ctx.kernel.get(AUDITS, caller.tenant, audit_id)
        if found is None:
            raise NotFound("No audit with this id")
        return _shown(views.whole(found), found.version)

    return routes


def _auditing(ctx: Context) -> APIRouter:
    routes, steps = router(_PATH, tag="audits"), _Steps(ctx)

    @routes.post("/{audit_id}/assignment", response_model=views.AuditSummary)
    async def assign(audit_id: AuditId, body: views.AssignmentBody, asked: ByAuditor) -> Response:
        """Assigns an auditor who declares independence of the supplier; one who cannot is refused (422)."""
        return await steps.take(audit_id, Assign(auditor=body.auditor, declarations=body.declarations.as_value()), asked)

    @routes.post("/{audit_id}/visit", response_model=views.VisitView)
    async def plan_visit(audit_id: AuditId, body: views.VisitBody, asked: ByAuditor) -> Response:
        """Sets the day on site; only auditors ever see it."""
        return await steps.take(audit_id, PlanVisit(on=body.on, announced=body.announced), asked, views.visit)

    @routes.post("/{audit_id}/start", response_model=views.AuditSummary)
    async def start(audit_id: AuditId, asked: ByAuditor) -> Response:
        """The assigned auditor begins."""
        return await steps.take(audit_id, Start(), asked)

    @routes.post("/{audit_id}/non-conformities", status_code=201, response_model=views.NonConformityView)
    async def record(audit_id: AuditId, body: views.NonConformityBody, asked: ByAuditor) -> Response:
        """Records a requirement that is not met."""
        command = RecordNonConformity(grade=body.grade, clause=body.clause, text=body.text, evidence=evidence_of(body.evidence))
        return await steps.take(audit_id, command, asked, views.last_non_conformity, 201)

    @routes.post("/{audit_id}/report", response_model=views.AuditSummary)
    async def report(audit_id: AuditId, body: views.ReportBody, asked: ByAuditor) -> Response:
        """Ends the looking: what was found is to be answered by a corrective action plan."""
        return await steps.take(audit_id, GiveReport(summary=body.summary, evidence=evidence_of(body.evidence)), asked)

    @routes.post("/{audit_id}/non-conformities/{non_conformity_id}/verification", response_model=views.NonConformityView)
    async def verify(audit_id: AuditId, non_conformity_id: PartId, body: views.VerificationBody, asked: ByAuditor) -> Response:
        """Says whether a non-conformity is put right; not for the author of the plan or of its evidence."""
        command = Verify(non_conformity_id=non_conformity_id, outcome=body.outcome, note=body.note)
        return await steps.take(audit_id, command, asked, partial(views.non_conformity, id_=non_conformity_id))

    @routes.post("/{audit_id}/closure", response_model=views.AuditSummary)
    async def close(audit_id: AuditId, asked: ByAuditor) -> Response:
        """Closes an audit of which every non-conformity is verified."""
        return await steps.take(audit_id, Close(), asked)

    return routes


def _correcting(ctx: Context) -> APIRouter:
    routes, steps = router(_PATH, tag="audits"), _Steps(ctx)

    @routes.get(_PLAN, response_model=views.CorrectiveView)
    async def read_plan(audit_id: AuditId, caller: PlanReader) -> Response:
        """The findings of a reported audit and the plan that answers them."""
        found = await ctx.kernel.get(AUDITS, caller.tenant, audit_id)
        if found is None or found.state.report is None:
            raise NotFound("No reported audit with this id")
        return _shown(views.corrective(found), found.version)

    @routes.post(_PLAN, status_code=201, response_model=views.CorrectiveView)
    async def submit_plan(audit_id: AuditId, body: views.PlanBody, asked: ForSupplier) -> Response:
        """A plan with an action for every non-conformity; who submits it counts as its author."""
        command = SubmitPlan(actions=tuple(action.as_value() for action in body.actions))
        return await steps.take(audit_id, command, asked, views.corrective, 201)

    @routes.post(_PLAN + "/actions/{action_id}/evidence", response_model=views.ActionView)
    async def submit_evidence(audit_id: AuditId, action_id: PartId, body: views.SubmissionBody, asked: ForSupplier) -> Response:
        """Evidence that an action was taken."""
        command = SubmitEvidence(action_id=action_id, evidence=evidence_of(body.evidence))
        return await steps.take(audit_id, command, asked, partial(views.action, id_=action_id))

    return routes
