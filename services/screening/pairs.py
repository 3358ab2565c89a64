"""What the join says: pairs of a supplier and a signal; and which of them stand."""

from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from services.screening.model import Former
from shared.events.envelope import PUBLIC
from shared.events.matches import Match

Key = tuple[str, str]  # tenant, id
PART = "\x1f"  # between the parts of a key that is written as one, and an owner's place


class Found(msgspec.Struct, frozen=True):
    """One pair that matches. `alike`: its content by the supplier's other names. `former`: what it was under ids that the list gave up."""

    id: str
    supplier: Key
    match: Match
    content: str
    alike: tuple[str, ...] = ()
    former: tuple[Former, ...] = ()


class Pair(msgspec.Struct, frozen=True):
    """A match that stands in the store, by its two sides."""

    id: str
    supplier: Key
    signal: Key


def key_of(written: str) -> Key:
    """The key in one that is written as one."""
    tenant, id_, *_ = written.split(PART)
    return tenant, id_


def seen_by(tenant: str) -> tuple[str, str]:
    """How the keys of signals begin that a tenant's suppliers are held against."""
    return PUBLIC + PART, tenant + PART


def each_once(found: Iterable[Found]) -> list[Found]:
    """Two owners of one name are one match: the one that is more alike, else the first, lest each event tell of one and then the other."""
    best: dict[str, Found] = {}
    for one in found:
        if one.id not in best or one.match.score > best[one.id].match.score:
            best[one.id] = one
    return list(best.values())


class Standing:
    """The matches that stand. One that is withdrawn stays: telling it so twice does no harm, missing one would."""

    def __init__(self) -> None:
        self._of_supplier: dict[Key, dict[str, Pair]] = defaultdict(dict)
        self._of_signal: dict[Key, dict[str, Pair]] = defaultdict(dict)

    def add(self, pair: Pair) -> None:
        """One more, or the same again."""
        self._of_supplier[pair.supplier][pair.id] = pair
        self._of_signal[pair.signal][pair.id] = pair

    def forget(self, of: Callable[[Key], bool]) -> None:
        """Those of some suppliers."""
        for supplier in [supplier for supplier in self._of_supplier if of(supplier)]:
            for pair in self._of_supplier.pop(supplier).values():
                self._of_signal[pair.signal].pop(pair.id, None)

    def of_supplier(self, key: Key) -> Iterable[Pair]:
        """A supplier's."""
        return self._of_supplier.get(key, {}).values()

    def of_signal(self, key: Key) -> Iterable[Pair]:
        """A signal's."""
        return self._of_signal.get(key, {}).values()
