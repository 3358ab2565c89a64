"""A remediation case as it is kept: values, and what follows from them. Pure.

Workers are opaque references. Of a victim's referral the case knows its id and whether it is open; all else lies sealed in a document of its own.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from services.remediation.playbook import Role
from shared.events.followup import CaseChanged, CaseState, EntryKind, RaisedBy

TaskState = Literal["open", "started", "done"]


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of a case's parts."""


class Evidence(Value, frozen=True, kw_only=True, omit_defaults=True):
    """Where evidence lies, with its SHA-256 (hex) where that is known: the evidence itself is never here."""

    ref: str
    sha256: str = ""


class Task(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A task of the playbook; `round` 0: since the case was opened, n: since it was reopened for the nth time."""

    id: str
    key: str
    title: str
    role: Role
    source: str
    due_at: datetime
    safety: bool = False
    round: int = 0
    state: TaskState = "open"
    started_by: str = ""
    started_at: datetime | None = None
    done_by: str = ""
    done_at: datetime | None = None
    evidence: tuple[Evidence, ...] = ()


class Entry(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A line of the repayment ledger: never changed, never taken away. `owed` and `paid` are above zero, a correction of what is owed may be below."""

    id: str
    kind: EntryKind
    worker_ref: str
    amount: Decimal
    currency: str  # ISO 4217
    by: str
    at: datetime
    reason: str = ""
    reverses: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def owing(self) -> Decimal:
        """What it adds to what is owed."""
        return -self.amount if self.kind == "paid" else self.amount


class Balance(Value, frozen=True, kw_only=True, omit_defaults=False):
    """What one worker is still owed in one currency; below zero: paid too much."""

    worker_ref: str
    currency: str
    owed: Decimal


class ReferralLink(Value, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    by: str
    open: bool = True
    ended_by: str = ""


class Assignment(Value, frozen=True, kw_only=True, omit_defaults=True):
    worker: str
    by: str
    at: datetime


class Independence(Value, frozen=True, kw_only=True, omit_defaults=False):
    """What the verifier of a case declares; each must be false."""

    worked_on_case: bool
    paid_by_supplier: bool
    adviser_to_supplier: bool


class Closure(Value, frozen=True, kw_only=True, omit_defaults=True):
    by: str
    at: datetime
    declarations: Independence
    evidence: tuple[Evidence, ...] = ()


class Raised(Value, frozen=True, kw_only=True, omit_defaults=True):
    """A cause of the case, and the round that it belongs to."""

    cause: RaisedBy
    round: int = 0


class Case(Value, frozen=True, kw_only=True, omit_defaults=True):
    """One violation put right. `touched`: something was done in this round, so that it is no longer undone by a retraction."""

    supplier_id: str
    raised: tuple[Raised, ...]
    opened_at: datetime
    indicators: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()  # signals that reopened it and were withdrawn before anything was done
    state: CaseState = "open"
    round: int = 0
    touched: bool = False
    cause_holds: bool = True
    due_at: datetime | None = None
    assignments: tuple[Assignment, ...] = ()  # the last one counts
    tasks: tuple[Task, ...] = ()
    ledger: tuple[Entry, ...] = ()
    referrals: tuple[ReferralLink, ...] = ()
    closures: tuple[Closure, ...] = ()
    ended_at: datetime | None = None
    overdue: bool = False
    looked_at: datetime | None = None  # deadlines up to then have been counted

    @property
    def cause(self) -> RaisedBy:
        """The one that opened it, or last reopened it."""
        return self.raised[-1].cause

    @property
    def worker(self) -> str:
        return self.assignments[-1].worker if self.assignments else ""

    @property
    def live(self) -> bool:
        return self.state not in ("closed", "cancelled")


def balances(ledger: Iterable[Entry]) -> list[Balance]:
    """What each worker is owed, by worker and currency."""
    owed: dict[tuple[str, str], Decimal] = {}
    for entry in ledger:
        key = entry.worker_ref, entry.currency
        owed[key] = owed.get(key, Decimal(0)) + entry.owing
    return [Balance(worker_ref=worker, currency=currency, owed=owed[worker, currency]) for worker, currency in sorted(owed)]


def left_to_do(case: Case) -> list[str]:
    """What keeps the case from being closed, in words; empty where nothing does."""
    left = []
    if tasks := sum(task.state != "done" for task in case.tasks):
        left.append(f"Tasks that are not done: {tasks}")
    if unpaid := sum(balance.owed > 0 for balance in balances(case.ledger)):
        left.append(f"Balances that are still owed: {unpaid}")
    if referrals := sum(referral.open for referral in case.referrals):
        left.append(f"Referrals that are open: {referrals}")
    return left


def phase(case: Case) -> CaseState:
    """The state that follows from what is done. A reopened case stays so until it is ready again: that it came back must not be forgotten."""
    if not case.live:
        return case.state
    if case.touched and not left_to_do(case):
        return "ready_for_closure"
    if case.round:
        return "reopened"
    return "in_progress" if case.touched else "open"


def participants(case: Case) -> frozenset[str]:
    """Everybody who worked on the case: none of them may say that it is put right."""
    found = {one.worker for one in case.assignments}
    found |= {who for task in case.tasks for who in (task.started_by, task.done_by)}
    found |= {entry.by for entry in case.ledger}
    found |= {who for referral in case.referrals for who in (referral.by, referral.ended_by)}
    return frozenset(found - {""})


def deadlines(case: Case) -> list[datetime]:
    """What is still to be done by when: each task, and the case itself. None once ended."""
    if not case.live:
        return []
    own = [case.due_at] if case.due_at else []
    return own + [task.due_at for task in case.tasks if task.state != "done"]


def next_deadline(case: Case) -> datetime | None:
    """When to look again; deadlines that have passed were counted then."""
    return min((at for at in deadlines(case) if case.looked_at is None or at > case.looked_at), default=None)


def told(case: Case) -> CaseChanged:
    """What others may know: categories and dates' consequences, nothing of any person."""
    return CaseChanged(
        supplier_id=case.supplier_id,
        state=case.state,
        overdue=case.overdue,
        indicators=case.indicators,
        signal_id=case.cause.signal_id,
    )
