"""What people ask of a case or a referral, and what a rating says about a case. Values only; who asks stands in the message's cause."""

from decimal import Decimal
from typing import Literal

import msgspec

from services.remediation.state import Evidence, Independence
from shared.events.followup import EntryKind, RaisedBy
from shared.security.sealing import Sealed


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all commands."""


class Rated(Command, frozen=True, kw_only=True):
    """A rating: what of it raises this case (nothing: it does not), and which grounds still hold, None where that is not known."""

    supplier_id: str
    raised: tuple[RaisedBy, ...]
    due_days: int | None
    held: frozenset[str] | None


class Assign(Command, frozen=True, kw_only=True):
    worker: str


class StartTask(Command, frozen=True, kw_only=True):
    task_id: str


class FinishTask(Command, frozen=True, kw_only=True):
    task_id: str
    evidence: tuple[Evidence, ...]


class Enter(Command, frozen=True, kw_only=True):
    """A new line in the ledger."""

    kind: EntryKind
    worker_ref: str
    amount: Decimal
    currency: str
    reason: str
    evidence: tuple[Evidence, ...]


class Reverse(Command, frozen=True, kw_only=True):
    entry_id: str
    reason: str


class NoteReferral(Command, frozen=True, kw_only=True):
    """A referral of a victim was opened: the case waits for it."""

    referral_id: str


class NoteReferralEnd(Command, frozen=True, kw_only=True):
    referral_id: str


class Close(Command, frozen=True, kw_only=True):
    declarations: Independence
    evidence: tuple[Evidence, ...]


class OpenReferral(Command, frozen=True, kw_only=True):
    """To the referral's own document; its content is sealed before it gets here."""

    case_id: str
    content: Sealed


class EndReferral(Command, frozen=True, kw_only=True):
    case_id: str
    outcome: Literal["completed", "declined"]
    note: Sealed | None
