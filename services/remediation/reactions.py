"""How ratings come in: a finding opens a case, or reopens the closed one that it repeats; what nothing holds any more is taken back."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from services.remediation.commands import Rated
from services.remediation.model import CASES
from services.remediation.playbook import known_indicators
from shared.events.envelope import Record
from shared.events.followup import RaisedBy, duty_of
from shared.events.ratings import RatingChanged, RatingDriversChanged, RatingTold
from shared.ids import derive
from shared.kernel.aggregate import Item, Message
from shared.kernel.kernel import document
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context
from shared.store.port import Store

_AT_ONCE = 500


@dataclass(slots=True)
class _Known:
    """A case as far as it decides where a finding belongs; kept up while a batch goes through."""

    causes: set[str]
    indicators: set[str]
    dropped: set[str] = field(default_factory=set)
    state: Literal["live", "closed", "cancelled"] = "live"


Cases = dict[str, _Known]


async def cases_of(store: Store, tenant: str, supplier_id: str) -> Cases:
    """All cases of a supplier, ended ones, too."""
    found: Cases = {}
    after = ""
    while page := await store.find(CASES.kind, tenant, {"supplier_id": supplier_id}, after=after, limit=_AT_ONCE):
        for stored in page:
            case = document(CASES, stored).state
            causes = {one.cause.signal_id for one in case.raised}
            state: Literal["live", "closed", "cancelled"] = "live"
            if case.state == "closed" or case.state == "cancelled":
                state = case.state
            found[stored.id] = _Known(causes, set(case.indicators), set(case.dropped), state)
        after = page[-1].id
    return found


def place(cases: Cases, tenant: str, supplier_id: str, cause: RaisedBy) -> str:
    """The case that a cause belongs to: its own, a closed one of the same abuse (which it reopens), or a new one."""
    signal, indicators = cause.signal_id, set(known_indicators(cause.indicators))
    for id_, known in cases.items():
        if signal in known.causes | known.dropped:
            if known.state == "cancelled" or signal not in known.causes:
                known.state = "live"
            known.causes.add(signal)
            return id_
    for id_, known in cases.items():
        if known.state == "closed" and known.indicators & indicators:
            known.state = "live"
            known.causes.add(signal)
            return id_
    id_ = derive("case", tenant, supplier_id, signal)
    cases[id_] = _Known({signal}, indicators)
    return id_


def reactions(ctx: Context) -> list[Reaction]:
    """Cases follow ratings."""

    async def follow(records: Sequence[Record]) -> list[Item]:
        items: list[Item] = []
        known: dict[tuple[str, str], Cases] = {}
        for record in records:
            if record.meta.type not in (RatingChanged.type, RatingDriversChanged.type):
                continue
            rating, tenant = record.payload(), record.meta.tenant
            assert isinstance(rating, RatingTold)
            supplier_id = rating.supplier_id
            if (tenant, supplier_id) not in known:
                known[tenant, supplier_id] = await cases_of(ctx.store, tenant, supplier_id)
            cases, duty = known[tenant, supplier_id], duty_of(rating, record.meta, "case")
            raised: dict[str, list[RaisedBy]] = {}
            for cause in duty.raised:
                raised.setdefault(place(cases, tenant, supplier_id, cause), []).append(cause)
            for id_, case in cases.items():
                if case.state == "live":
                    rated = Rated(supplier_id=supplier_id, raised=tuple(raised.get(id_, ())), due_days=duty.due_days, held=duty.held)
                    items.append(Item(CASES, tenant, id_, Message(rated, cause_of(record))))
        return items

    return [Reaction("remediation", ("ratings",), follow)]
