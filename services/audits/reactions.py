"""How ratings come in: they open audits, raise them again, and take back those that nothing holds any more."""

from collections.abc import Sequence

from services.audits.commands import Rated
from services.audits.model import AUDITS
from shared.events.envelope import Record
from shared.events.followup import duty_of
from shared.events.ratings import RatingChanged, RatingDriversChanged, RatingTold
from shared.ids import derive
from shared.kernel.aggregate import Item, Message
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context
from shared.store.port import Store

_AT_ONCE = 500


def audit_id(tenant: str, supplier_id: str, signal_id: str) -> str:
    """One audit for a supplier and what it was opened for, however often a rating says it."""
    return derive("aud", tenant, supplier_id, signal_id)


async def live_audits(store: Store, tenant: str, supplier_id: str) -> list[str]:
    """The ids of a supplier's audits that have not ended."""
    found: list[str] = []
    where = {"supplier_id": supplier_id, "live": 1}
    while page := await store.find(AUDITS.kind, tenant, where, after=found[-1] if found else "", limit=_AT_ONCE):
        found += [stored.id for stored in page]
    return found


def reactions(ctx: Context) -> list[Reaction]:
    """Audits follow ratings."""

    async def follow(records: Sequence[Record]) -> list[Item]:
        items: list[Item] = []
        known: dict[tuple[str, str], list[str]] = {}  # audits of a supplier, with those that this batch opens
        for record in records:
            if record.meta.type not in (RatingChanged.type, RatingDriversChanged.type):
                continue
            rating, tenant = record.payload(), record.meta.tenant
            assert isinstance(rating, RatingTold)
            supplier_id = rating.supplier_id
            if (tenant, supplier_id) not in known:
                known[tenant, supplier_id] = await live_audits(ctx.store, tenant, supplier_id)
            duty = duty_of(rating, record.meta, "audit")
            raised = {audit_id(tenant, supplier_id, one.signal_id): one for one in duty.raised}
            known[tenant, supplier_id] = ids = list(dict.fromkeys((*known[tenant, supplier_id], *raised)))
            for id_ in ids:
                rated = Rated(supplier_id=supplier_id, raised=raised.get(id_), due_days=duty.due_days, held=duty.held)
                items.append(Item(AUDITS, tenant, id_, Message(rated, cause_of(record))))
        return items

    return [Reaction("audits", ("ratings",), follow)]
