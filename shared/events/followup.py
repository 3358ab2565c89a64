"""What audits, remediation and intelligence's findings tell: ids, states and dates only, never who was harmed, who reported, or an unannounced date.

And what both follow-up services read out of a rating: what it obliges them to, because of what, and what still holds.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple

import msgspec

from shared.events.envelope import Meta, Payload, event
from shared.events.ratings import MAX_DRIVERS, Driver, RatingTold

AuditState = Literal["scheduled", "assigned", "in_progress", "reported", "corrective_action", "verified", "closed", "cancelled"]
CaseState = Literal["open", "in_progress", "ready_for_closure", "closed", "reopened", "cancelled"]
EntryKind = Literal["owed", "paid", "correction"]

_NAMING = ("finding_confirmed", "finding_strong")  # findings that name the supplier itself; others may be namesakes, origins or owners


class NonConformityCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    minor: int = 0
    major: int = 0
    critical: int = 0
    business_critical: int = 0


@event("audit.changed.v1", "audits")
class AuditChanged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """An audit's state as far as a rating may know it."""

    supplier_id: str
    state: AuditState
    open_non_conformities: NonConformityCount = NonConformityCount()
    overdue: bool = False
    signal_id: str = ""


@event("case.changed.v1", "remediation")
class CaseChanged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A remediation case's state as far as a rating may know it."""

    supplier_id: str
    state: CaseState
    overdue: bool = False
    indicators: tuple[str, ...] = ()
    signal_id: str = ""


class RaisedBy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why an audit or a case was opened: the rating (its event), and the signal behind it.

    `kind` rating: no signal is behind it; then `signal_id` names what its chain of causes begins with. `linked`: it comes through another supplier.
    """

    id: str  # of the rating's event
    type: str
    at: datetime
    signal_id: str
    kind: Literal["finding", "list_entry", "hotspot", "rating"]
    finding_id: str | None = None
    list: str | None = None
    uid: str | None = None
    indicators: tuple[str, ...] = ()
    linked: bool = False

    @property
    def ground(self) -> str:
        """What must be among those that hold, lest it be withdrawn."""
        return _ground(self.signal_id, self.linked)


class Duty(NamedTuple):
    """What a rating asks of a follow-up service: because of what (nothing: no duty), in how many days, and which grounds still hold.

    A supplier's own risk comes back to it through those that it is linked with, and leaves them later: that holds nothing of its own.
    `held` None: the rating did not tell all its drivers, so that nothing can be said to hold no more.
    """

    raised: tuple[RaisedBy, ...]
    due_days: int | None
    held: frozenset[str] | None


def duty_of(rating: RatingTold, meta: Meta, kind: Literal["audit", "case"]) -> Duty:
    """The duty of one kind in a rating. The policy decides whether there is one; its causes are the drivers nearest to the supplier.

    Each finding that names the supplier is a cause of its own; failing these each other finding; else what weighs most, a list entry first.
    """
    held = frozenset(_ground(_root(d), linked) for d in rating.drivers for linked in {True, _is_linked(d)})
    asked = [obligation for obligation in rating.obligations if obligation.kind == kind]
    days = [obligation.due_days for obligation in asked if obligation.due_days is not None]
    raised: tuple[RaisedBy, ...] = ()
    if asked and rating.drivers:
        nearest = min(map(_distance, rating.drivers))
        chosen = [driver for driver in rating.drivers if _distance(driver) == nearest]
        raised = tuple({_root(d): _raised(d, meta) for d in reversed(chosen if nearest <= 1 else chosen[:1])}.values())
    return Duty(raised, min(days, default=None), held if len(rating.drivers) < MAX_DRIVERS else None)


def due_after(at: datetime, days: int | None) -> datetime | None:
    """When what was asked for at `at` is due, to the second; None where the policy sets no time."""
    return None if days is None else at.replace(microsecond=0) + timedelta(days=days)


def _distance(driver: Driver) -> int:
    own = driver.signal is not None and driver.supplier_id is None
    if own and driver.signal is not None and driver.signal.source.kind == "finding":
        return 0 if driver.code in _NAMING else 1
    return 2 if own else 3


def _is_linked(driver: Driver) -> bool:
    return driver.signal is None or driver.supplier_id is not None


def _ground(root: str, linked: bool) -> str:
    return f"linked {root}" if linked else root


def _root(driver: Driver) -> str:
    if driver.signal is not None:
        return driver.signal.id
    return driver.chain[-1].subject or driver.code if driver.chain else driver.code


def _raised(driver: Driver, meta: Meta) -> RaisedBy:
    source = driver.signal.source if driver.signal else None
    return RaisedBy(
        id=meta.id,
        type=meta.type,
        at=meta.time,
        signal_id=_root(driver),
        kind=source.kind if source else "rating",
        finding_id=source.finding_id if source else None,
        list=source.list if source else None,
        uid=source.uid if source else None,
        indicators=source.indicators if source else driver.indicators,
        linked=_is_linked(driver),
    )


AuditStep = Literal[
    "opened", "raised_again", "cause_withdrawn", "assigned", "visit_planned", "started", "non_conformity_recorded", "reported",
    "plan_submitted", "evidence_submitted", "verified", "rejected", "deadline_passed", "closed", "cancelled",
]  # fmt: skip


@event("audit.detail.v1", None)
class AuditDetail(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One step of an audit, for its journal: `item` is the non-conformity or action it was about. Never an unannounced date."""

    step: AuditStep
    item: str = ""
    raised_by: RaisedBy | None = None
    due_at: datetime | None = None


CaseStep = Literal[
    "opened", "raised_again", "reopened", "cause_withdrawn", "assigned", "task_started", "task_done", "referral_opened", "referral_ended",
    "deadline_passed", "closed", "cancelled",
]  # fmt: skip


@event("case.detail.v1", None)
class CaseDetail(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a case, for its journal: `item` is the task or referral it was about."""

    step: CaseStep
    item: str = ""
    raised_by: tuple[RaisedBy, ...] = ()
    due_at: datetime | None = None


@event("case.repayment.v1", None)
class RepaymentEntered(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One entry of a case's ledger, for its journal; the worker is an opaque reference."""

    entry: str
    kind: EntryKind
    worker_ref: str
    amount: Decimal
    currency: str  # ISO 4217
    reverses: str = ""


@event("referral.detail.v1", None)
class ReferralDetail(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One step of a victim's referral, for its journal: no more than that it happened."""

    case_id: str
    state: Literal["open", "completed", "declined"]
