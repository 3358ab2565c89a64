"""A report: what somebody told us, raw and confidential. Its text and its sender are sealed before they get here. Pure."""

from datetime import datetime

import msgspec

from services.intelligence.findings.about import About, kind_of
from shared.errors import NotFound
from shared.events.intelligence import ErasureReason, Indicator, ReportErased, ReporterKeyMade, ReportReceived, SenderOpened
from shared.kernel.aggregate import Aggregate, Decided, Index, Message
from shared.security.sealing import Sealed, erase


class Submit(msgspec.Struct, frozen=True, kw_only=True):
    """To the report itself; `sender` and `receipt` are what `Vault` makes of them."""

    about: About
    indicators: tuple[Indicator, ...]
    text: Sealed
    identity: Sealed
    sender: str
    receipt: str


class OpenSender(msgspec.Struct, frozen=True):
    """A custodian wants to read who sent it."""

    reason: str


class Erase(msgspec.Struct, frozen=True):
    """Nobody may read it any more."""

    reason: ErasureReason


class Report(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`text` and `identity` open only with the master key and as parts of this report; `sender` is a name that only the tenant's key makes of the real one."""

    indicators: tuple[Indicator, ...]
    text: Sealed
    identity: Sealed
    sender: str
    receipt: str
    received_at: datetime
    about: About | None = None
    erased_at: datetime | None = None
    erased_by: str = ""
    erased_because: ErasureReason | None = None


def _report(state: Report | None, message: Message, now: datetime) -> Decided[Report] | None:
    body = message.body
    if isinstance(body, Submit):
        if state is not None:
            return None
        new = Report(
            about=body.about, indicators=body.indicators, text=body.text, identity=body.identity,
            sender=body.sender, receipt=body.receipt, received_at=now,
        )  # fmt: skip
        return Decided(new, [ReportReceived(about=kind_of(body.about), indicators=body.indicators)])
    if state is None:
        raise NotFound("There is no such report")
    match body:
        case OpenSender(reason):
            if state.erased_at:
                raise NotFound("This was erased; it cannot be read any more")
            return Decided(state, [SenderOpened(reason=reason)])
        case Erase(reason):
            if state.erased_at:
                return None
            new = msgspec.structs.replace(
                state, about=None, text=erase(state.text), identity=erase(state.identity), sender="",
                erased_at=now, erased_by=message.cause.actor, erased_because=reason,
            )  # fmt: skip
            return Decided(new, [ReportErased(reason=reason)])
    raise TypeError(type(body).__name__)


REPORT: Aggregate[Report] = Aggregate(
    kind="report",
    state=Report,
    decide=_report,
    indexes=(Index("sender", lambda r: r.sender), Index("receipt", lambda r: r.receipt)),
    erasable=True,
)


class KeepKey(msgspec.Struct, frozen=True):
    """The key that a tenant gets, if it has none."""

    key: Sealed


class ReporterKey(msgspec.Struct, frozen=True):
    """Under which a tenant's senders are recognised: a plain digest of a name could be found by trying names."""

    key: Sealed


def _reporter_key(state: ReporterKey | None, message: Message, _now: datetime) -> Decided[ReporterKey] | None:
    assert isinstance(message.body, KeepKey)
    return None if state else Decided(ReporterKey(message.body.key), [ReporterKeyMade()])


REPORTER_KEY: Aggregate[ReporterKey] = Aggregate(kind="reporter_key", state=ReporterKey, decide=_reporter_key)
