"""Putting right what an audit found: the plan, its evidence, and the verification by somebody else. Pure."""

from datetime import UTC, datetime, time, timedelta
from typing import NamedTuple

from msgspec.structs import replace

from services.audits.commands import SubmitEvidence, SubmitPlan, Verify
from services.audits.state import Action, Audit, NonConformity, Plan, Submission, Verification
from shared.errors import Conflict, Forbidden, Invalid, NotFound
from shared.events.followup import AuditDetail

MOST_SUBMISSIONS = 50
_FARTHEST = timedelta(days=730)


class Step(NamedTuple):
    """What becomes of an audit, and the journal's word for it."""

    audit: Audit
    detail: AuditDetail


def submit_plan(audit: Audit, command: SubmitPlan, by: str, now: datetime) -> Step:
    """A plan answers every non-conformity; it may be replaced until evidence rests on it."""
    if not audit.non_conformities:
        raise Conflict("The audit found nothing that needs a plan")
    if by in audit.auditors:
        raise Conflict("Who is, or was, the auditor of an audit cannot write its corrective action plan")
    if audit.plan is not None and any(action.submissions for action in audit.plan.actions):
        raise Conflict("Evidence was submitted under the plan that stands; it cannot be replaced")
    known = {one.id for one in audit.non_conformities}
    errors = []
    for at, action in enumerate(command.actions):
        if action.non_conformity_id not in known:
            errors.append({"field": f"actions.{at}.non_conformity_id", "message": "Not a non-conformity of this audit"})
        if not now.date() <= action.due_on <= (now + _FARTHEST).date():
            errors.append({"field": f"actions.{at}.due_on", "message": "Today or within two years"})
    if left := known - {action.non_conformity_id for action in command.actions}:
        errors.append({"field": "actions", "message": f"Every non-conformity needs an action; without one: {len(left)}"})
    if errors:
        raise Invalid("The plan does not answer the audit", errors=errors)
    actions = tuple(
        Action(
            id=f"a{number}",
            non_conformity_id=action.non_conformity_id,
            text=action.text,
            responsible=action.responsible,
            due_at=datetime.combine(action.due_on + timedelta(days=1), time(), UTC),
            submissions=(Submission(evidence=action.evidence, by=by, at=now),) if action.evidence else (),
            answered=bool(action.evidence),
        )
        for number, action in enumerate(command.actions, 1)
    )
    planned = replace(audit, state="corrective_action", plan=Plan(author=by, at=now, actions=actions))
    return Step(planned, AuditDetail(step="plan_submitted"))


def submit_evidence(audit: Audit, command: SubmitEvidence, by: str, now: datetime) -> Step:
    """Evidence that an action was taken; more may follow until its non-conformity is verified."""
    actions = audit.plan.actions if audit.plan else ()
    action = next((one for one in actions if one.id == command.action_id), None)
    if audit.plan is None or action is None:
        raise NotFound("No action with this id in the plan")
    if by in audit.auditors:
        raise Conflict("Who is, or was, the auditor of an audit cannot give evidence for the supplier")
    if _of(audit, action.non_conformity_id).verified:
        raise Conflict("This non-conformity is verified already")
    if len(action.submissions) >= MOST_SUBMISSIONS:
        raise Conflict(f"An action takes at most {MOST_SUBMISSIONS} submissions")
    submitted = (*action.submissions, Submission(evidence=command.evidence, by=by, at=now))
    new = replace(action, submissions=submitted, answered=True)
    changed = tuple(new if one.id == action.id else one for one in actions)
    return Step(replace(audit, plan=replace(audit.plan, actions=changed)), AuditDetail(step="evidence_submitted", item=action.id))


def verify(audit: Audit, command: Verify, by: str, now: datetime) -> Step:
    """Somebody who neither planned nor gave the evidence says whether it is put right; rejected evidence has to be given anew."""
    found = _of(audit, command.non_conformity_id)
    if found.verified:
        raise Conflict("This non-conformity is verified already")
    plan = audit.plan
    actions = tuple(one for one in (plan.actions if plan else ()) if one.non_conformity_id == found.id)
    if plan is None or not all(action.answered for action in actions):
        raise Conflict("Every action on a non-conformity needs its evidence before it is verified")
    if by == plan.author or any(by == one.by for action in actions for one in action.submissions):
        raise Forbidden("Somebody else than the author of the plan and of its evidence verifies")
    verification = Verification(outcome=command.outcome, note=command.note, by=by, at=now)
    new = replace(found, verifications=(*found.verifications, verification))
    audit = replace(audit, non_conformities=tuple(new if one.id == new.id else one for one in audit.non_conformities))
    if command.outcome == "rejected":
        again = tuple(replace(one, answered=False) if one.non_conformity_id == found.id else one for one in plan.actions)
        return Step(replace(audit, plan=replace(plan, actions=again)), AuditDetail(step="rejected", item=found.id))
    state = "verified" if audit.all_verified else audit.state
    return Step(replace(audit, state=state), AuditDetail(step="verified", item=found.id))


def _of(audit: Audit, non_conformity_id: str) -> NonConformity:
    for one in audit.non_conformities:
        if one.id == non_conformity_id:
            return one
    raise NotFound("No non-conformity with this id in this audit")
