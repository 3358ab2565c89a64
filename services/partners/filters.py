"""Which changes a subscription is told of. Pure."""

from collections.abc import Iterable

from shared.events.partners import CauseKind, Filters
from shared.events.ratings import Driver, RatingChanged

_MATCHED: frozenset[CauseKind] = frozenset({"list_entry", "finding", "hotspot"})
_KIND_OF: dict[str, CauseKind] = {  # by the second word of the cause's type
    "audit": "audit",
    "case": "case",
    "exposure": "upstream",
    "supplier": "supplier",
    "policy": "policy",
    "alarm": "time",
}


def kinds_of(change: RatingChanged) -> frozenset[CauseKind]:
    """The kinds of what caused a change, mostly one.

    `list_entry`, `finding` and `hotspot` where the cause is a match (by the signal of the driver that it leads to) or a screening whose
    matches now count; where a match has gone, nothing says any more which it was, and it counts as all: better told once too often.
    `audit`, `case`, `upstream` (inherited from a supplier or owner), `supplier` (its profile), `policy`, `time` (a weight has faded).
    """
    word = [*change.cause.type.split("."), ""][1]
    if word == "match":
        led_to = [driver for driver in change.drivers if any(link.id == change.cause.id for link in driver.chain)]
        return _sources(led_to) or _MATCHED
    if word == "supplier":
        return _sources(change.drivers) | {"supplier"}
    return frozenset({_KIND_OF.get(word, "other")})


def _sources(drivers: Iterable[Driver]) -> frozenset[CauseKind]:
    return frozenset(driver.signal.source.kind for driver in drivers if driver.signal and not driver.supplier_id)


def wants(filters: Filters, change: RatingChanged, kinds: frozenset[CauseKind]) -> bool:
    """Whether a change passes all filters; `kinds` as `kinds_of` gives them."""
    return (
        (not filters.tiers or change.tier in filters.tiers)
        and (not filters.countries or change.country in filters.countries)
        and (not filters.supplier_ids or change.supplier_id in filters.supplier_ids)
        and (not filters.kinds or not kinds.isdisjoint(filters.kinds))
    )
