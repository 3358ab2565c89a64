"""An audit as it is kept: values, and what follows from them. Pure."""

from collections import Counter
from datetime import date, datetime
from typing import Literal

import msgspec

from shared.events.followup import AuditChanged, AuditState, NonConformityCount, RaisedBy

Grade = Literal["minor", "major", "critical", "business_critical"]
Outcome = Literal["verified", "rejected"]


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of an audit's parts."""


class Evidence(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Where evidence lies, with its SHA-256 (hex) where that is known: the evidence itself is never here."""

    ref: str
    sha256: str = ""


class Declarations(Value, frozen=True, kw_only=True, omit_defaults=False):
    """What an auditor declares about independence; each must be false."""

    paid_by_supplier: bool
    adviser_to_supplier: bool
    author_of_plan: bool


class Assignment(Value, frozen=True, kw_only=True, omit_defaults=True):
    auditor: str
    declarations: Declarations
    by: str
    at: datetime


class Visit(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The day on site. Where it is not announced it stays in this state: in no event, in no journal entry."""

    on: date
    announced: bool
    by: str
    at: datetime


class Verification(Value, frozen=True, kw_only=True, omit_defaults=True):
    outcome: Outcome
    note: str
    by: str
    at: datetime


class NonConformity(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A requirement (`clause`) that was found not to be met."""

    id: str
    grade: Grade
    clause: str
    text: str
    by: str
    at: datetime
    evidence: tuple[Evidence, ...] = ()
    verifications: tuple[Verification, ...] = ()

    @property
    def verified(self) -> bool:
        return bool(self.verifications) and self.verifications[-1].outcome == "verified"


class Report(Value, frozen=True, kw_only=True, omit_defaults=True):
    summary: str
    by: str
    at: datetime
    evidence: tuple[Evidence, ...] = ()


class Submission(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Evidence that an action was taken."""

    evidence: tuple[Evidence, ...]
    by: str
    at: datetime


class Action(Value, frozen=True, kw_only=True, omit_defaults=True):
    """What the supplier will do about one non-conformity. `answered`: evidence was given and not rejected since."""

    id: str
    non_conformity_id: str
    text: str
    responsible: str
    due_at: datetime
    submissions: tuple[Submission, ...] = ()
    answered: bool = False


class Plan(Value, frozen=True, kw_only=True, omit_defaults=True):
    """The corrective action plan; its author gave it on the supplier's behalf."""

    author: str
    at: datetime
    actions: tuple[Action, ...]


class Audit(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A for-cause audit. `due_at`: by when it is to be reported; `plan_due_at`: by when its report is to be answered."""

    supplier_id: str
    cause: RaisedBy
    opened_at: datetime
    state: AuditState = "scheduled"
    due_at: datetime | None = None
    plan_due_at: datetime | None = None
    cause_holds: bool = True
    assignments: tuple[Assignment, ...] = ()  # the last one counts
    visit: Visit | None = None
    started_at: datetime | None = None
    non_conformities: tuple[NonConformity, ...] = ()
    report: Report | None = None
    plan: Plan | None = None
    ended_at: datetime | None = None
    ended_by: str = ""
    overdue: bool = False
    looked_at: datetime | None = None  # deadlines up to then have been counted

    @property
    def auditor(self) -> str:
        return self.assignments[-1].auditor if self.assignments else ""

    @property
    def auditors(self) -> frozenset[str]:
        """Everybody who was ever assigned: none of them may answer for the supplier."""
        return frozenset(one.auditor for one in self.assignments)

    @property
    def answerers(self) -> frozenset[str]:
        """Who wrote the plan or gave evidence: none of them may be the auditor."""
        if self.plan is None:
            return frozenset()
        return frozenset({self.plan.author, *(one.by for action in self.plan.actions for one in action.submissions)})

    @property
    def live(self) -> bool:
        return self.state not in ("closed", "cancelled")

    @property
    def all_verified(self) -> bool:
        return all(one.verified for one in self.non_conformities)


def open_count(audit: Audit) -> NonConformityCount:
    """Non-conformities that nobody has verified as put right, by grade."""
    found = Counter(one.grade for one in audit.non_conformities if not one.verified)
    return NonConformityCount(
        minor=found["minor"], major=found["major"], critical=found["critical"], business_critical=found["business_critical"]
    )


def deadlines(audit: Audit) -> list[datetime]:
    """What is still to be done by when: the report, then the plan, then each action without evidence. None once ended."""
    if audit.state in ("scheduled", "assigned", "in_progress"):
        return [audit.due_at] if audit.due_at else []
    if audit.state == "reported":
        return [audit.plan_due_at] if audit.plan_due_at else []
    if audit.state == "corrective_action" and audit.plan:
        done = {one.id for one in audit.non_conformities if one.verified}
        return [a.due_at for a in audit.plan.actions if not a.answered and a.non_conformity_id not in done]
    return []


def next_deadline(audit: Audit) -> datetime | None:
    """When to look again; deadlines that have passed were counted then."""
    return min((at for at in deadlines(audit) if audit.looked_at is None or at > audit.looked_at), default=None)


def told(audit: Audit) -> AuditChanged:
    """What others may know."""
    return AuditChanged(
        supplier_id=audit.supplier_id,
        state=audit.state,
        open_non_conformities=open_count(audit),
        overdue=audit.overdue,
        signal_id=audit.cause.signal_id,
    )
