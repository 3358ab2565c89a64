"""What people ask of an audit, and what a rating says about one. Values only; who asks stands in the message's cause."""

from datetime import date
from typing import NamedTuple

import msgspec

from services.audits.state import Declarations, Evidence, Grade, Outcome
from shared.events.followup import RaisedBy


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all commands."""


class Rated(Command, frozen=True, kw_only=True):
    """A rating: it asks for this audit (`raised`), or not; `held`: the grounds that still hold, None where that is not known."""

    supplier_id: str
    raised: RaisedBy | None
    due_days: int | None
    held: frozenset[str] | None


class Assign(Command, frozen=True, kw_only=True):
    auditor: str
    declarations: Declarations


class PlanVisit(Command, frozen=True, kw_only=True):
    on: date
    announced: bool


class Start(Command, frozen=True, kw_only=True):
    pass


class RecordNonConformity(Command, frozen=True, kw_only=True):
    grade: Grade
    clause: str
    text: str
    evidence: tuple[Evidence, ...]


class GiveReport(Command, frozen=True, kw_only=True):
    summary: str
    evidence: tuple[Evidence, ...]


class PlannedAction(NamedTuple):
    """An action of a plan; `due_on` is the last day for its evidence."""

    non_conformity_id: str
    text: str
    responsible: str
    due_on: date
    evidence: tuple[Evidence, ...]


class SubmitPlan(Command, frozen=True, kw_only=True):
    actions: tuple[PlannedAction, ...]


class SubmitEvidence(Command, frozen=True, kw_only=True):
    action_id: str
    evidence: tuple[Evidence, ...]


class Verify(Command, frozen=True, kw_only=True):
    non_conformity_id: str
    outcome: Outcome
    note: str


class Close(Command, frozen=True, kw_only=True):
    pass
