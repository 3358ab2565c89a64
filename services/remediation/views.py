"""Cases as the HTTP interface has them: bodies that come in, answers that go out."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationInfo, field_validator

from services.remediation.money import Amount, Currency, checked, refused
from services.remediation.playbook import Role
from services.remediation.state import Balance, Case, Entry, Evidence, Independence, Task, TaskState, balances, left_to_do
from shared.events.followup import CaseState, EntryKind
from shared.http.application import Body
from shared.http.strings import Name, Text
from shared.kernel.aggregate import Document


def _given(consent: bool) -> bool:
    if not consent:
        raise refused("Nobody is referred without their informed consent")
    return consent


Subject = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,200}$", description="as in that person's token", examples=["ada"])]
WorkerRef = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,63}$", description="an opaque reference, never a name", examples=["w-0017"]),
]


class EvidenceBody(Body):
    """Where evidence lies (a reference, not the evidence itself), with its SHA-256 where that is known."""

    ref: Name
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


EvidenceList = Annotated[list[EvidenceBody], Field(max_length=50)]


def evidence_of(given: list[EvidenceBody]) -> tuple[Evidence, ...]:
    """As the state keeps it."""
    return tuple(Evidence(ref=one.ref, sha256=one.sha256 or "") for one in given)


class AssignmentBody(Body):
    worker: Subject


class CompletionBody(Body):
    evidence: Annotated[EvidenceList, Field(min_length=1)]


class EntryBody(Body):
    """A line of the ledger: a sum that a worker is owed, or was paid, or a correction of what is owed (below zero: less)."""

    kind: EntryKind
    worker_ref: WorkerRef
    currency: Currency
    amount: Amount  # after its currency, which bounds its decimals
    reason: Name | None = None
    evidence: EvidenceList = []

    @field_validator("amount")
    @classmethod
    def _in_its_currency(cls, amount: Decimal, info: ValidationInfo) -> Decimal:
        return checked(amount, info.data["currency"]) if "currency" in info.data else amount


class ReversalBody(Body):
    reason: Name


class IndependenceBody(Body):
    """What the verifier declares; each must be false."""

    worked_on_case: StrictBool
    paid_by_supplier: StrictBool
    adviser_to_supplier: StrictBool

    def as_value(self) -> Independence:
        """As the state keeps it."""
        return Independence(**self.model_dump())


class ClosureBody(Body):
    declarations: IndependenceBody
    evidence: EvidenceList = []


class ReferralBody(Body):
    """A person handed to a service that helps, with that person's informed consent. All of it is sealed."""

    service: Name
    details: Text
    worker_ref: WorkerRef | None = None
    consent: Annotated[StrictBool, AfterValidator(_given), Field(description="true: the person, or a child's guardian, has agreed")]


class OutcomeBody(Body):
    outcome: Literal["completed", "declined"]
    note: Text | None = None


class _View(BaseModel):
    """Base of answers; read from the state's values by their names."""

    model_config = ConfigDict(from_attributes=True)


class CauseView(_View):
    """The rating (its event) that asked for the case, and the signal behind it."""

    id: str
    type: str
    at: datetime
    kind: str
    signal_id: str
    finding_id: str | None
    list: str | None
    uid: str | None
    indicators: tuple[str, ...]


class CaseSummary(_View):
    """A case in a list. `round`: how often it was reopened."""

    id: str
    version: int
    supplier_id: str
    state: CaseState
    cause: CauseView
    cause_holds: bool
    indicators: tuple[str, ...]
    round: int
    opened_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    overdue: bool
    worker: str
    left_to_do: list[str]


class EvidenceView(_View):
    ref: str
    sha256: str


class TaskView(_View):
    id: str
    key: str
    title: str
    role: Role
    source: str
    due_at: datetime
    safety: bool
    round: int
    state: TaskState
    started_by: str
    started_at: datetime | None
    done_by: str
    done_at: datetime | None
    evidence: tuple[EvidenceView, ...]


class EntryView(_View):
    id: str
    kind: EntryKind
    worker_ref: str
    amount: Decimal
    currency: str
    reason: str
    reverses: str
    by: str
    at: datetime
    evidence: tuple[EvidenceView, ...]


class BalanceView(_View):
    worker_ref: str
    currency: str
    owed: Decimal


class LedgerView(_View):
    entries: list[EntryView]
    balances: list[BalanceView]


class IndependenceView(_View):
    worked_on_case: bool
    paid_by_supplier: bool
    adviser_to_supplier: bool


class ClosureView(_View):
    by: str
    at: datetime
    declarations: IndependenceView
    evidence: tuple[EvidenceView, ...]


class ReferralLinkView(_View):
    id: str
    open: bool


class CaseView(CaseSummary):
    """A case, whole but for its ledger and its referrals' content, which have addresses of their own."""

    causes: list[CauseView]
    tasks: tuple[TaskView, ...]
    balances: list[BalanceView]
    referrals: tuple[ReferralLinkView, ...]
    closures: tuple[ClosureView, ...]


class _Shown:
    """A document's own fields, and what follows from its state, beside those of the state."""

    def __init__(self, document: Document[Case]) -> None:
        self._state, self.id, self.version = document.state, document.id, document.version

    @property
    def left_to_do(self) -> list[str]:
        return left_to_do(self._state) if self._state.live else []

    @property
    def causes(self) -> list[Any]:
        return [one.cause for one in self._state.raised]

    @property
    def balances(self) -> list[Balance]:
        return balances(self._state.ledger)

    def __getattr__(self, name: str) -> object:
        return getattr(self._state, name)


def summary(document: Document[Case]) -> CaseSummary:
    """One line of a list."""
    return CaseSummary.model_validate(_Shown(document))


def summed_up(document: Document[Case]) -> bytes:
    """JSON of a CaseSummary."""
    return summary(document).model_dump_json().encode()


def whole(document: Document[Case]) -> bytes:
    """JSON of a CaseView."""
    return CaseView.model_validate(_Shown(document)).model_dump_json().encode()


def task(document: Document[Case], task_id: str) -> bytes:
    """JSON of a TaskView."""
    found: Task = next(one for one in document.state.tasks if one.id == task_id)
    return TaskView.model_validate(found).model_dump_json().encode()


def last_entry(document: Document[Case]) -> bytes:
    """JSON of the ledger's last line."""
    last: Entry = document.state.ledger[-1]
    return EntryView.model_validate(last).model_dump_json().encode()


def ledger(document: Document[Case]) -> bytes:
    """JSON of a LedgerView."""
    lines = [EntryView.model_validate(one) for one in document.state.ledger]
    owed = [BalanceView.model_validate(one) for one in balances(document.state.ledger)]
    return LedgerView(entries=lines, balances=owed).model_dump_json().encode()
