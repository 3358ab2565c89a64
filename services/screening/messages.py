"""What the join finds, as messages to matches."""

from collections.abc import Iterable, Sequence

import msgspec

from services.screening.join import Join
from services.screening.model import MATCH, Touched, Untouched
from services.screening.pairs import Found, Key, Pair
from shared.events.envelope import PUBLIC
from shared.kernel.aggregate import Cause, Item, Message


def messages(join: Join, found: Sequence[Found], stand: Iterable[Pair], cause: Cause) -> list[Item]:
    """One for each pair that is found, and one for each that `stand`s and is not found again."""
    gone = {pair.id: pair for pair in stand}
    items = [_touched(join, one, cause) for one in found]
    for one in found:
        gone.pop(one.id, None)
    return items + [
        _item(gone[id_].supplier, id_, Untouched(join.sides(gone[id_].supplier, gone[id_].signal)), cause) for id_ in sorted(gone)
    ]


def _touched(join: Join, one: Found, cause: Cause) -> Item:
    signal = one.match.signal
    key: Key = (PUBLIC if signal.source.kind == "list_entry" else one.supplier[0], signal.id)
    join.standing.add(Pair(one.id, one.supplier, key))
    body = Touched(
        match=one.match, content=one.content, sides=join.sides(one.supplier, key), alike=one.alike, bought=join.is_bought(one.supplier),
        former=one.former,
    )  # fmt: skip
    return _item(one.supplier, one.id, body, cause)


def _item(supplier: Key, match_id: str, body: Touched | Untouched, cause: Cause) -> Item:
    """Matches need no watermark: they know the versions of their sides."""
    return Item(MATCH, supplier[0], match_id, Message(body, msgspec.structs.replace(cause, source="")))
