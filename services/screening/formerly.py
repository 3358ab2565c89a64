"""Reviews that follow a party whose publisher gives it another id: what was settled of the old match is handed to the new one."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from services.screening.model import MATCH, Former, Touched
from services.screening.state import Carried, MatchDocument
from shared.kernel.aggregate import Item
from shared.store.port import Key, Store


async def carried_over(store: Store, items: Sequence[Item]) -> list[Item]:
    """The same messages; those about an entry that had another id before say what people settled of the pair then."""
    wanted = sorted({(item.tenant, former.match_id) for item in items for former in _former(item)})
    if not wanted:
        return list(items)
    known = {key: MATCH.decoder.decode(stored.state) for key, stored in (await store.load(MATCH.kind, wanted)).items()}
    return [_with(item, carried) if (carried := _carried(item.tenant, _former(item), known)) else item for item in items]


def _former(item: Item) -> tuple[Former, ...]:
    return item.message.body.former if isinstance(item.message.body, Touched) else ()


def _carried(tenant: str, former: Iterable[Former], known: Mapping[Key, MatchDocument]) -> Carried | None:
    """Of the newest id under which anything was settled."""
    for one in former:
        old = known.get((tenant, one.match_id))
        if old is not None and old.judged is not None:
            return Carried(one.signal_id, (old.judged, *old.earlier), old.confirmed_by)
    return None


def _with(item: Item, carried: Carried) -> Item:
    body = msgspec.structs.replace(item.message.body, carried=carried)
    return msgspec.structs.replace(item, message=msgspec.structs.replace(item.message, body=body))
