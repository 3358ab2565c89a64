"""How a case goes: opened by a rating, worked off by its playbook, closed by somebody independent, reopened when it happens again. Pure."""

from datetime import datetime
from typing import Any

from msgspec.structs import replace

from services.remediation import rounds, work
from services.remediation.commands import (
    Assign,
    Close,
    Enter,
    FinishTask,
    NoteReferral,
    NoteReferralEnd,
    Rated,
    Reverse,
    StartTask,
)
from services.remediation.state import (
    Assignment,
    Case,
    Closure,
    ReferralLink,
    deadlines,
    left_to_do,
    next_deadline,
    participants,
    phase,
    told,
)
from services.remediation.work import Step
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.events.followup import CaseDetail
from shared.kernel.aggregate import Aggregate, Alarm, Decided, Index, Message

MOST_REFERRALS = 1_000


def decide(case: Case | None, message: Message, now: datetime) -> Decided[Case] | None:
    """See `shared.kernel.aggregate`."""
    body, by = message.body, message.cause.actor
    step: Step | None
    match body:
        case Rated():
            step = rounds.rated(case, body, now)
        case Alarm():
            now = max(now, body.at)  # a stored time is rounded: never before the deadline that it stands for
            step = _rung(case, now)
        case _ if case is None:
            raise NotFound("No case with this id")
        case _ if not case.live:
            raise Conflict("This case has ended")
        case Assign():
            assigned = (*case.assignments, Assignment(worker=body.worker, by=by, at=now))
            step = Step(replace(case, assignments=assigned), CaseDetail(step="assigned"))
        case StartTask():
            step = work.start(case, body, by, now)
        case FinishTask():
            step = work.finish(case, body, by, now)
        case Enter():
            step = work.enter(case, body, by, now)
        case Reverse():
            step = work.reverse(case, body, by, now)
        case NoteReferral():
            step = _referred(case, body, by)
        case NoteReferralEnd():
            step = _referral_ended(case, body, by)
        case Close():
            step = _close(case, body, by, now)
        case _:
            raise AssertionError(f"No case knows {type(body).__name__}")
    return None if step is None else _decided(case, step, now)


def _decided(before: Case | None, step: Step, now: datetime) -> Decided[Case]:
    """The new state, as far as it follows from what is done, with its deadlines counted; told where what others may know has changed."""
    after = replace(step.case, state=phase(step.case), looked_at=now, overdue=any(at <= now for at in deadlines(step.case)))
    events: list[Any] = [step.detail]
    if before is None or told(before) != told(after):
        events.append(told(after))
    return Decided(after, events)


def _rung(case: Case | None, now: datetime) -> Step | None:
    at = next_deadline(case) if case else None
    if case is None or at is None or at > now:
        return None
    return Step(case, CaseDetail(step="deadline_passed", due_at=at))


def _referred(case: Case, command: NoteReferral, by: str) -> Step | None:
    if any(one.id == command.referral_id for one in case.referrals):
        return None
    if len(case.referrals) >= MOST_REFERRALS:
        raise Conflict(f"A case holds at most {MOST_REFERRALS} referrals")
    referrals = (*case.referrals, ReferralLink(id=command.referral_id, by=by))
    return Step(replace(case, referrals=referrals, touched=True), CaseDetail(step="referral_opened", item=command.referral_id))


def _referral_ended(case: Case, command: NoteReferralEnd, by: str) -> Step | None:
    if not any(one.id == command.referral_id and one.open for one in case.referrals):
        return None
    ended = tuple(replace(one, open=False, ended_by=by) if one.id == command.referral_id else one for one in case.referrals)
    return Step(replace(case, referrals=ended), CaseDetail(step="referral_ended", item=command.referral_id))


def _close(case: Case, command: Close, by: str, now: datetime) -> Step:
    if case.state != "ready_for_closure":
        left = [{"field": "state", "message": message} for message in left_to_do(case)]
        raise Conflict("A case is closed when tasks are done, the ledger is settled and no referral is open", errors=left)
    if by in participants(case):
        raise Forbidden("Who worked on a case cannot close it")
    declared = command.declarations
    faults = [name for name in declared.__struct_fields__ if getattr(declared, name)]
    if faults:
        errors = [{"field": f"declarations.{name}", "message": "Must be false: somebody independent closes a case"} for name in faults]
        raise Invalid("This verifier is not independent", errors=errors)
    closures = (*case.closures, Closure(by=by, at=now, declarations=declared, evidence=command.evidence))
    return Step(replace(case, state="closed", closures=closures, ended_at=now), CaseDetail(step="closed"))


CASES: Aggregate[Case] = Aggregate(
    kind="case",
    state=Case,
    decide=decide,
    indexes=(
        Index("supplier_id", lambda case: case.supplier_id),
        Index("state", lambda case: case.state),
        Index("overdue", lambda case: int(case.overdue)),
        Index("worker", lambda case: case.worker),
        Index("indicators", lambda case: case.indicators, many=True),
    ),
    wake=next_deadline,
    key=lambda case: case.supplier_id,
)
