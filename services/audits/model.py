"""How an audit goes: opened by a rating, then assigned, started, reported, answered by a plan, verified, closed. Pure.

Who looks is not who pays, advises or plans; who verifies is not who did it.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from services.audits import corrective
from services.audits.commands import (
    Assign,
    Close,
    GiveReport,
    PlanVisit,
    Rated,
    RecordNonConformity,
    Start,
    SubmitEvidence,
    SubmitPlan,
    Verify,
)
from services.audits.corrective import Step
from services.audits.state import Assignment, Audit, NonConformity, Report, Visit, deadlines, next_deadline, told
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.events.followup import AuditDetail, due_after
from shared.kernel.aggregate import Aggregate, Alarm, Decided, Index, Message

PLAN_DAYS = 30  # by our own rule, from the report to the plan that answers it
MOST_NON_CONFORMITIES = 200
_FARTHEST_VISIT = timedelta(days=730)


def decide(audit: Audit | None, message: Message, now: datetime) -> Decided[Audit] | None:
    """See `shared.kernel.aggregate`."""
    body, by = message.body, message.cause.actor
    step: Step | None
    match body:
        case Rated():
            step = _rated(audit, body, now)
        case Alarm():
            now = max(now, body.at)  # a stored time is rounded: never before the deadline that it stands for
            step = _rung(audit, now)
        case _ if audit is None:
            raise NotFound("No audit with this id")
        case SubmitPlan() | SubmitEvidence() | Verify() if audit.report is None:
            raise NotFound("No reported audit with this id")  # before its report, who answers for the supplier may not know of it
        case _ if not audit.live:
            raise Conflict("This audit has ended")
        case Assign():
            step = _assign(audit, body, by, now)
        case PlanVisit():
            step = _visit(audit, body, by, now)
        case Start():
            step = _start(audit, by, now)
        case RecordNonConformity():
            step = _record(audit, body, by, now)
        case GiveReport():
            step = _report(audit, body, by, now)
        case SubmitPlan():
            step = corrective.submit_plan(audit, body, by, now)
        case SubmitEvidence():
            step = corrective.submit_evidence(audit, body, by, now)
        case Verify():
            step = corrective.verify(audit, body, by, now)
        case Close():
            step = _close(audit, by, now)
        case _:
            raise AssertionError(f"No audit knows {type(body).__name__}")
    return None if step is None else _decided(audit, step, now)


def _decided(before: Audit | None, step: Step, now: datetime) -> Decided[Audit]:
    """The new state with its deadlines counted; others are told where what they may know has changed."""
    after = replace(step.audit, looked_at=now, overdue=any(at <= now for at in deadlines(step.audit)))
    events: list[Any] = [step.detail]
    if before is None or told(before) != told(after):
        events.append(told(after))
    return Decided(after, events)


def _rated(audit: Audit | None, rated: Rated, now: datetime) -> Step | None:
    raised = rated.raised
    if raised is not None:
        due_at = due_after(raised.at, rated.due_days)
        if audit is None or audit.state == "cancelled":
            opened = Audit(supplier_id=rated.supplier_id, cause=raised, opened_at=now, due_at=due_at)
            return Step(opened, AuditDetail(step="opened", raised_by=raised, due_at=due_at))
        sooner = due_at is not None and audit.report is None and (audit.due_at is None or due_at < audit.due_at)
        if not audit.live or (audit.cause_holds and not sooner):
            return None
        again = replace(audit, cause_holds=True, due_at=due_at if sooner else audit.due_at)
        return Step(again, AuditDetail(step="raised_again", raised_by=raised, due_at=again.due_at))
    if audit is None or not audit.live or not audit.cause_holds or rated.held is None or audit.cause.ground in rated.held:
        return None
    gone = replace(audit, cause_holds=False)
    if audit.started_at is not None:  # what was begun is brought to its end
        return Step(gone, AuditDetail(step="cause_withdrawn"))
    return Step(replace(gone, state="cancelled", ended_at=now), AuditDetail(step="cancelled"))


def _rung(audit: Audit | None, now: datetime) -> Step | None:
    at = next_deadline(audit) if audit else None
    if audit is None or at is None or at > now:
        return None
    return Step(audit, AuditDetail(step="deadline_passed", due_at=at))


def _assign(audit: Audit, command: Assign, by: str, now: datetime) -> Step:
    declared = command.declarations
    faults = [name for name in declared.__struct_fields__ if getattr(declared, name)]
    if faults:
        errors = [{"field": f"declarations.{name}", "message": "Must be false: choose an independent auditor"} for name in faults]
        raise Invalid("This auditor is not independent of the supplier", errors=errors)
    if command.auditor in audit.answerers:
        raise Conflict("Who wrote the corrective action plan, or gave evidence for it, cannot audit it")
    assigned = (*audit.assignments, Assignment(auditor=command.auditor, declarations=declared, by=by, at=now))
    state = "assigned" if audit.state == "scheduled" else audit.state
    return Step(replace(audit, assignments=assigned, state=state), AuditDetail(step="assigned"))


def _visit(audit: Audit, command: PlanVisit, by: str, now: datetime) -> Step:
    if audit.report is not None:
        raise Conflict("This audit is reported already")
    if not _day(now) <= command.on <= _day(now + _FARTHEST_VISIT):
        raise Invalid("The visit is not at a possible time", errors=[{"field": "on", "message": "Today or within two years"}])
    planned = Visit(on=command.on, announced=command.announced, by=by, at=now)
    return Step(replace(audit, visit=planned), AuditDetail(step="visit_planned"))


def _start(audit: Audit, by: str, now: datetime) -> Step:
    if audit.state != "assigned":
        raise Conflict("An audit is started once, after an auditor was assigned")
    _only_auditor(audit, by)
    return Step(replace(audit, state="in_progress", started_at=now), AuditDetail(step="started"))


def _record(audit: Audit, command: RecordNonConformity, by: str, now: datetime) -> Step:
    if audit.state != "in_progress":
        raise Conflict("Non-conformities are recorded while the audit is in progress")
    _only_auditor(audit, by)
    if len(audit.non_conformities) >= MOST_NON_CONFORMITIES:
        raise Conflict(f"An audit holds at most {MOST_NON_CONFORMITIES} non-conformities")
    found = NonConformity(
        id=f"nc{len(audit.non_conformities) + 1}",
        grade=command.grade,
        clause=command.clause,
        text=command.text,
        evidence=command.evidence,
        by=by,
        at=now,
    )
    recorded = replace(audit, non_conformities=(*audit.non_conformities, found))
    return Step(recorded, AuditDetail(step="non_conformity_recorded", item=found.id))


def _report(audit: Audit, command: GiveReport, by: str, now: datetime) -> Step:
    if audit.state != "in_progress":
        raise Conflict("An audit is reported once, while it is in progress")
    _only_auditor(audit, by)
    report = Report(summary=command.summary, evidence=command.evidence, by=by, at=now)
    plan_due_at = due_after(now, PLAN_DAYS) if audit.non_conformities else None
    reported = replace(audit, state="reported", report=report, plan_due_at=plan_due_at)
    return Step(reported, AuditDetail(step="reported", due_at=plan_due_at))


def _close(audit: Audit, by: str, now: datetime) -> Step:
    if audit.report is None:
        raise Conflict("An audit is closed after its report")
    if not audit.all_verified:
        raise Conflict("An audit is closed when every non-conformity is verified as put right")
    return Step(replace(audit, state="closed", ended_at=now, ended_by=by), AuditDetail(step="closed"))


def _only_auditor(audit: Audit, by: str) -> None:
    if by != audit.auditor:
        raise Forbidden("Only the auditor who is assigned to this audit does this")


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()


AUDITS: Aggregate[Audit] = Aggregate(
    kind="audit",
    state=Audit,
    decide=decide,
    indexes=(
        Index("supplier_id", lambda audit: audit.supplier_id),
        Index("state", lambda audit: audit.state),
        Index("live", lambda audit: int(audit.live)),
        Index("overdue", lambda audit: int(audit.overdue)),
        Index("auditor", lambda audit: audit.auditor),
        Index("signal_id", lambda audit: audit.cause.signal_id),
    ),
    wake=next_deadline,
    key=lambda audit: audit.supplier_id,
)
