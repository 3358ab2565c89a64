"""Remediation cases over HTTP: find and read, and each step of a case as a POST to it."""

from collections.abc import Callable
from functools import partial
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Response

from services.remediation import views
from services.remediation.commands import Assign, Close, Command, Enter, FinishTask, Reverse, StartTask
from services.remediation.model import CASES
from services.remediation.playbook import known_indicators
from services.remediation.state import Case
from services.remediation.victims import CaseId, victims_router
from services.remediation.views import evidence_of
from shared.errors import NotFound
from shared.events.followup import CaseState
from shared.http.auth import requires, router
from shared.http.idempotency import Idempotency, IdempotencyAsked, VersionAsked, etag
from shared.http.pages import Page, PageAsked, cursor_after, page
from shared.ids import derive
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

_PATH, _JSON = "/v1/cases", "application/json"
PartId = Annotated[str, Path(max_length=20)]
Reader = Annotated[Principal, requires(Permission.CASES_READ)]
# An auditor may be the independent verifier of a case, and reads it when it waits for one.
Verifier = Annotated[Principal, requires(Permission.CASES_READ, Permission.AUDITS_READ)]
Render = Callable[[Document[Case]], bytes]


class _Asked(msgspec.Struct, frozen=True):
    """Who asks for a step, whether again, and on which version."""

    caller: Principal
    idempotency: Idempotency | None
    version: int | None


async def _by_worker(
    caller: Annotated[Principal, requires(Permission.CASES_WRITE)], idempotency: IdempotencyAsked, version: VersionAsked
) -> _Asked:
    return _Asked(caller, idempotency, version)


async def _by_verifier(
    caller: Annotated[Principal, requires(Permission.CASES_WRITE, Permission.AUDITS_WRITE)],
    idempotency: IdempotencyAsked,
    version: VersionAsked,
) -> _Asked:
    return _Asked(caller, idempotency, version)


ByWorker = Annotated[_Asked, Depends(_by_worker)]
ByVerifier = Annotated[_Asked, Depends(_by_verifier)]


class _Steps:
    """Carries steps out, and answers with what they made; a repeated one with its first answer."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx

    async def take(self, case_id: str, command: Command, asked: _Asked, show: Render = views.summed_up, status: int = 200) -> Response:
        by, again = asked.caller, asked.idempotency
        name = type(command).__name__.lower()
        cause = Cause(
            derive("cmd", by.tenant, case_id, by.subject, name, again.key) if again else self._ctx.ids.new("cmd"),
            f"command.case.{name}",
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
        outcome = await self._ctx.kernel.execute(Item(CASES, by.tenant, case_id, message))
        assert outcome.document is not None
        if outcome.answer is not None and not outcome.changed:
            return Response(outcome.answer, status, media_type=_JSON)
        return Response(show(outcome.document), status, {"ETag": etag(outcome.document.version)}, _JSON)


def routers(ctx: Context) -> list[APIRouter]:
    """The routes of cases and of their referrals."""
    return [_reading(ctx), _working(ctx), victims_router(ctx)]


def _reading(ctx: Context) -> APIRouter:
    routes = router(_PATH, tag="cases")

    async def one(case_id: str, caller: Principal) -> Document[Case]:
        found = await ctx.kernel.get(CASES, caller.tenant, case_id)
        if found is None or (found.state.state != "ready_for_closure" and not caller.may(Permission.CASES_READ)):
            raise NotFound("No case with this id")
        return found

    @routes.get("", response_model=Page[views.CaseSummary])
    async def find(
        caller: Reader,
        asked: PageAsked,
        supplier_id: Annotated[str | None, Query(max_length=100)] = None,
        state: CaseState | None = None,
        overdue: bool | None = None,
        worker: Annotated[str | None, Query(max_length=200)] = None,
        indicator: Annotated[str | None, Query(max_length=100, description="ILO's, such as debt_bondage")] = None,
    ) -> dict[str, Any]:
        """Cases by supplier, state, worker, kind of abuse, or whether something about them is overdue."""
        wanted = {
            "supplier_id": supplier_id,
            "state": state,
            "overdue": None if overdue is None else int(overdue),
            "worker": worker,
            "indicators": None if indicator is None else next(iter(known_indicators([indicator])), indicator),
        }
        where = {name: value for name, value in wanted.items() if value is not None}
        (after,) = asked.after(str) or ("",)
        stored = await ctx.store.find(CASES.kind, caller.tenant, where, after=after, limit=asked.limit + 1)
        shown = stored[: asked.limit]
        more = cursor_after(shown[-1].id) if len(stored) > len(shown) else None
        return page([views.summary(document(CASES, each)) for each in shown], more)

    @routes.get("/{case_id}", response_model=views.CaseView)
    async def read(case_id: CaseId, caller: Verifier) -> Response:
        """One case with its tasks; auditors see it when it waits for its independent verifier."""
        found = await one(case_id, caller)
        return Response(views.whole(found), 200, {"ETag": etag(found.version)}, _JSON)

    @routes.get("/{case_id}/repayments", response_model=views.LedgerView)
    async def read_ledger(case_id: CaseId, caller: Verifier) -> Response:
        """What workers are owed and were paid: every line, and the balances."""
        found = await one(case_id, caller)
        return Response(views.ledger(found), 200, {"ETag": etag(found.version)}, _JSON)

    return routes


def _working(ctx: Context) -> APIRouter:
    routes, steps = router(_PATH, tag="cases"), _Steps(ctx)

    @routes.post("/{case_id}/assignment", response_model=views.CaseSummary)
    async def assign(case_id: CaseId, body: views.AssignmentBody, asked: ByWorker) -> Response:
        """Gives the case to a case worker."""
        return await steps.take(case_id, Assign(worker=body.worker), asked)

    @routes.post("/{case_id}/tasks/{task_id}/start", response_model=views.TaskView)
    async def start(case_id: CaseId, task_id: PartId, asked: ByWorker) -> Response:
        """Takes a task up."""
        return await steps.take(case_id, StartTask(task_id=task_id), asked, partial(views.task, task_id=task_id))

    @routes.post("/{case_id}/tasks/{task_id}/completion", response_model=views.TaskView)
    async def finish(case_id: CaseId, task_id: PartId, body: views.CompletionBody, asked: ByWorker) -> Response:
        """A task is done; the evidence says so."""
        command = FinishTask(task_id=task_id, evidence=evidence_of(body.evidence))
        return await steps.take(case_id, command, asked, partial(views.task, task_id=task_id))

    @routes.post("/{case_id}/repayments", status_code=201, response_model=views.EntryView)
    async def enter(case_id: CaseId, body: views.EntryBody, asked: ByWorker) -> Response:
        """Enters a sum that a worker is owed or was paid, or a correction."""
        command = Enter(
            kind=body.kind,
            worker_ref=body.worker_ref,
            amount=body.amount,
            currency=body.currency,
            reason=body.reason or "",
            evidence=evidence_of(body.evidence),
        )
        return await steps.take(case_id, command, asked, views.last_entry, 201)

    @routes.post("/{case_id}/repayments/{entry_id}/reversal", status_code=201, response_model=views.EntryView)
    async def reverse(case_id: CaseId, entry_id: PartId, body: views.ReversalBody, asked: ByWorker) -> Response:
        """Takes an entry back by another; nothing is ever deleted."""
        return await steps.take(case_id, Reverse(entry_id=entry_id, reason=body.reason), asked, views.last_entry, 201)

    @routes.post("/{case_id}/closure", response_model=views.CaseSummary)
    async def close(case_id: CaseId, body: views.ClosureBody, asked: ByVerifier) -> Response:
        """Somebody independent, who had no part in it, says that it is put right."""
        command = Close(declarations=body.declarations.as_value(), evidence=evidence_of(body.evidence))
        return await steps.take(case_id, command, asked)

    return routes
