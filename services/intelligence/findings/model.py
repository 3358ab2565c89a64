"""A finding: what we assert, drafted by one person and verified by another; then it is a signal until it is retracted. Pure."""

from datetime import datetime
from typing import Literal

import msgspec

from services.intelligence.findings.about import About, kind_of, signal_of
from shared.errors import Conflict, Forbidden, NotFound
from shared.events.intelligence import FindingDrafted, FindingErased, FindingRejected, Indicator
from shared.events.signals import Signal, SignalPublished, SignalWithdrawn
from shared.kernel.aggregate import Aggregate, Decided, Index, Message
from shared.security.sealing import Sealed, erase

State = Literal["draft", "verified", "rejected", "retracted"]
Outcome = Literal["verified", "rejected"]


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """To the finding `finding_id` itself; `asked` tells a repeated request from another one."""

    finding_id: str
    report_id: str
    about: About
    indicators: tuple[Indicator, ...]
    summary: Sealed
    asked: str = ""


class Verify(msgspec.Struct, frozen=True, kw_only=True):
    """`by_sender`: who verifies sent the report."""

    outcome: Outcome
    reason: Sealed
    by_sender: bool


class Retract(msgspec.Struct, frozen=True):
    reason: Sealed


class Shred(msgspec.Struct, frozen=True):
    """Its report was erased: what people wrote about it goes, too."""


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What people wrote is sealed: it may tell of the report and its sender."""

    report_id: str
    about: About
    signal: Signal
    summary: Sealed
    drafted_by: str
    drafted_at: datetime
    state: State = "draft"
    asked: str = ""
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: Sealed | None = None
    retracted_by: str = ""
    retracted_at: datetime | None = None
    retraction: Sealed | None = None
    erased: bool = False


def _decide(state: Finding | None, message: Message, now: datetime) -> Decided[Finding] | None:
    body, by = message.body, message.cause.actor
    if isinstance(body, Draft):
        if state is not None:  # somebody drafted in the same moment
            raise Conflict("This report has a finding that is open")
        signal = signal_of(body.finding_id, body.about, body.indicators)
        new = Finding(
            report_id=body.report_id, about=body.about, signal=signal, summary=body.summary, asked=body.asked, drafted_by=by, drafted_at=now
        )
        return Decided(new, [FindingDrafted(report_id=body.report_id, about=kind_of(body.about), indicators=body.indicators)])
    if state is None:
        raise NotFound("There is no such finding")
    match body:
        case Verify():
            return _verified(state, body, by, now)
        case Retract(reason):
            if state.state != "verified":
                raise Conflict("Only a verified finding can be retracted")
            new = msgspec.structs.replace(state, state="retracted", retracted_by=by, retracted_at=now, retraction=reason)
            return Decided(new, [SignalWithdrawn(signal=state.signal, reason="retracted")])
        case Shred():
            return _shredded(state, by, now)
    raise TypeError(type(body).__name__)


def _verified(state: Finding, body: Verify, by: str, now: datetime) -> Decided[Finding]:
    if by == state.drafted_by:
        raise Forbidden("Somebody else than its drafter must verify a finding")
    if body.by_sender:
        raise Forbidden("Somebody else than the sender of its report must verify a finding")
    if state.state != "draft":
        raise Conflict("Only a draft can be verified or rejected")
    new = msgspec.structs.replace(state, state=body.outcome, decided_by=by, decided_at=now, reason=body.reason)
    if body.outcome == "verified":
        return Decided(new, [SignalPublished(signal=state.signal)])
    return Decided(new, [FindingRejected(report_id=state.report_id)])


def _shredded(state: Finding, by: str, now: datetime) -> Decided[Finding] | None:
    if state.erased:
        return None
    kept = {"reason": state.reason, "retraction": state.retraction}
    gone = {name: erase(sealed) if sealed else None for name, sealed in kept.items()}
    new = msgspec.structs.replace(state, erased=True, summary=erase(state.summary), **gone)
    if state.state != "draft":
        return Decided(new, [FindingErased(report_id=state.report_id)])
    new = msgspec.structs.replace(new, state="rejected", decided_by=by, decided_at=now)
    return Decided(new, [FindingRejected(report_id=state.report_id, erased=True)])


FINDING: Aggregate[Finding] = Aggregate(
    kind="finding",
    state=Finding,
    decide=_decide,
    indexes=(Index("report_id", lambda f: f.report_id), Index("state", lambda f: f.state)),
    erasable=True,
)
