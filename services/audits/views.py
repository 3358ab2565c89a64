"""Audits as the HTTP interface has them: bodies that come in, answers that go out."""

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool

from services.audits.commands import PlannedAction
from services.audits.state import Audit, Declarations, Evidence, Grade, Outcome, open_count
from shared.events.followup import AuditState
from shared.http.application import Body
from shared.http.strings import Name, Text
from shared.kernel.aggregate import Document

Subject = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$", description="as in that person's token", examples=["ada"])]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class EvidenceBody(Body):
    """Where evidence lies (a reference, not the evidence itself), with its SHA-256 where that is known."""

    ref: Name
    sha256: Sha256 | None = None


EvidenceList = Annotated[list[EvidenceBody], Field(max_length=50)]
SomeEvidence = Annotated[list[EvidenceBody], Field(min_length=1, max_length=50)]


def evidence_of(given: list[EvidenceBody]) -> tuple[Evidence, ...]:
    """As the state keeps it."""
    return tuple(Evidence(ref=one.ref, sha256=one.sha256 or "") for one in given)


class DeclarationsBody(Body):
    """What the auditor declares; each must be false."""

    paid_by_supplier: StrictBool
    adviser_to_supplier: StrictBool
    author_of_plan: StrictBool

    def as_value(self) -> Declarations:
        """As the state keeps it."""
        return Declarations(**self.model_dump())


class AssignmentBody(Body):
    auditor: Subject
    declarations: DeclarationsBody


class VisitBody(Body):
    """The day on site. An unannounced one is told to auditors only."""

    on: date
    announced: StrictBool = False


class NonConformityBody(Body):
    grade: Grade
    clause: Name
    text: Text
    evidence: EvidenceList = []


class ReportBody(Body):
    summary: Text
    evidence: EvidenceList = []


class ActionBody(Body):
    """What will be done about one non-conformity, by whom, with `due_on` as the last day for its evidence."""

    non_conformity_id: Annotated[str, Field(max_length=20, examples=["nc1"])]
    text: Text
    responsible: Name
    due_on: date
    evidence: EvidenceList = []

    def as_value(self) -> PlannedAction:
        """As the command has it."""
        return PlannedAction(self.non_conformity_id, self.text, self.responsible, self.due_on, evidence_of(self.evidence))


class PlanBody(Body):
    actions: Annotated[list[ActionBody], Field(min_length=1, max_length=400)]


class SubmissionBody(Body):
    evidence: SomeEvidence


class VerificationBody(Body):
    outcome: Outcome
    note: Text


class _View(BaseModel):
    """Base of answers; read from the state's values by their names."""

    model_config = ConfigDict(from_attributes=True)


class CauseView(_View):
    """The rating (its event) that asked for the audit, and the signal behind it."""

    id: str
    type: str
    at: datetime
    kind: str
    signal_id: str
    finding_id: str | None
    list: str | None
    uid: str | None
    indicators: tuple[str, ...]


class CountView(_View):
    minor: int
    major: int
    critical: int
    business_critical: int


class AuditSummary(_View):
    """An audit in a list. `due_at`: by when it is to be reported."""

    id: str
    version: int
    supplier_id: str
    state: AuditState
    cause: CauseView
    cause_holds: bool
    opened_at: datetime
    due_at: datetime | None
    overdue: bool
    auditor: str
    open_non_conformities: CountView


class EvidenceView(_View):
    ref: str
    sha256: str


class DeclarationsView(_View):
    paid_by_supplier: bool
    adviser_to_supplier: bool
    author_of_plan: bool


class AssignmentView(_View):
    auditor: str
    declarations: DeclarationsView
    by: str
    at: datetime


class VisitView(_View):
    on: date
    announced: bool
    by: str
    at: datetime


class VerificationView(_View):
    outcome: Outcome
    note: str
    by: str
    at: datetime


class NonConformityView(_View):
    id: str
    grade: Grade
    clause: str
    text: str
    by: str
    at: datetime
    evidence: tuple[EvidenceView, ...]
    verifications: tuple[VerificationView, ...]
    verified: bool


class ReportView(_View):
    summary: str
    by: str
    at: datetime
    evidence: tuple[EvidenceView, ...]


class SubmissionView(_View):
    evidence: tuple[EvidenceView, ...]
    by: str
    at: datetime


class ActionView(_View):
    """`due_at`: the end of the last day for its evidence."""

    id: str
    non_conformity_id: str
    text: str
    responsible: str
    due_at: datetime
    answered: bool
    submissions: tuple[SubmissionView, ...]


class PlanView(_View):
    author: str
    at: datetime
    actions: tuple[ActionView, ...]


class AuditView(AuditSummary):
    """An audit with all that auditors know of it."""

    assignments: tuple[AssignmentView, ...]
    visit: VisitView | None
    started_at: datetime | None
    non_conformities: tuple[NonConformityView, ...]
    report: ReportView | None
    plan_due_at: datetime | None
    plan: PlanView | None
    ended_at: datetime | None
    ended_by: str


class CorrectiveView(_View):
    """The part of a reported audit that the supplier answers: what buyers see of it."""

    id: str
    version: int
    supplier_id: str
    state: AuditState
    plan_due_at: datetime | None
    overdue: bool
    non_conformities: tuple[NonConformityView, ...]
    plan: PlanView | None


class _Shown:
    """A document's own fields beside those of its state."""

    def __init__(self, document: Document[Audit]) -> None:
        self._state, self.id, self.version = document.state, document.id, document.version
        self.open_non_conformities = open_count(document.state)

    def __getattr__(self, name: str) -> object:
        return getattr(self._state, name)


def summary(document: Document[Audit]) -> AuditSummary:
    """One line of a list."""
    return AuditSummary.model_validate(_Shown(document))


def summed_up(document: Document[Audit]) -> bytes:
    """JSON of an AuditSummary."""
    return _json(summary(document))


def whole(document: Document[Audit]) -> bytes:
    """JSON of an AuditView."""
    return _json(AuditView.model_validate(_Shown(document)))


def corrective(document: Document[Audit]) -> bytes:
    """JSON of a CorrectiveView."""
    return _json(CorrectiveView.model_validate(_Shown(document)))


def visit(document: Document[Audit]) -> bytes:
    """JSON of a VisitView."""
    return _json(VisitView.model_validate(document.state.visit))


def last_non_conformity(document: Document[Audit]) -> bytes:
    """JSON of the non-conformity recorded last."""
    return _json(NonConformityView.model_validate(document.state.non_conformities[-1]))


def non_conformity(document: Document[Audit], id_: str) -> bytes:
    """JSON of one NonConformityView."""
    return _json(NonConformityView.model_validate(next(one for one in document.state.non_conformities if one.id == id_)))


def action(document: Document[Audit], id_: str) -> bytes:
    """JSON of one ActionView."""
    actions = document.state.plan.actions if document.state.plan else ()
    return _json(ActionView.model_validate(next(one for one in actions if one.id == id_)))


def _json(view: _View) -> bytes:
    return view.model_dump_json().encode()
