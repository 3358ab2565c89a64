"""How ratings come in: a supplier's status follows its tier."""

from collections.abc import Sequence

from services.onboarding.model import SUPPLIERS
from shared.events.envelope import Record
from shared.events.ratings import RatingChanged
from shared.kernel.aggregate import Item, Message
from shared.kernel.reactor import Reaction, cause_of
from shared.kernel.service import Context


async def _follow_ratings(records: Sequence[Record]) -> list[Item]:
    items = []
    for record in records:
        if record.meta.type == RatingChanged.type:
            rating = record.payload()
            assert isinstance(rating, RatingChanged)
            items.append(Item(SUPPLIERS, record.meta.tenant, rating.supplier_id, Message(rating, cause_of(record))))
    return items


def reactions(_: Context) -> list[Reaction]:
    """The statuses follow the ratings."""
    return [Reaction("onboarding", ("ratings",), _follow_ratings)]
