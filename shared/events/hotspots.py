"""What hot-spots tell: that a place, a sector or a group has become one, and that it has cooled. To whoever reads signals they are signals."""

from typing import Literal

import msgspec

from shared.events.envelope import Payload, event
from shared.events.signals import SignalChanged, SignalPublished, SignalWithdrawn

SpotKind = Literal["good_origin", "region", "sector", "group"]
MAX_EVIDENCE = 50  # ids told with a hot-spot; all of them count


class Spot(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where things heap up. `hs`: a heading (4 digits) of a good_origin, a chapter (2 digits) of a sector; `group`: the supplier at its head."""

    kind: SpotKind
    hs: str | None = None
    origin: str | None = None  # ISO 3166-1 alpha-2
    region: str | None = None  # ISO 3166-2
    group: str | None = None


@event("hotspot.detected.v1", "hotspots")
class HotspotDetected(SignalPublished, frozen=True, kw_only=True, omit_defaults=True):
    """So many independent sources in one window that the policy calls it a hot-spot. `evidence`: ids of the findings' signals and the matches."""

    spot: Spot
    sources: int
    evidence: tuple[str, ...] = ()


@event("hotspot.changed.v1", "hotspots")
class HotspotChanged(SignalChanged, frozen=True, kw_only=True, omit_defaults=True):
    """Its signal says more, or less, than before: other indicators."""

    spot: Spot
    sources: int
    evidence: tuple[str, ...] = ()


@event("hotspot.closed.v1", "hotspots")
class HotspotClosed(SignalWithdrawn, frozen=True, kw_only=True, omit_defaults=True):
    """It has cooled, or what it rested on was taken back: `reason` says which."""

    spot: Spot


@event("hotspot.observed.v1", None)
class HotspotObserved(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Something was seen in its window, or is gone from it, and it is a hot-spot, or none, as before."""

    spot: Spot
    sources: int
    evidence: tuple[str, ...] = ()


@event("supplier.watched.v1", None)
class SupplierWatched(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a supplier for hot-spots moved: where it stands, or which matches people confirmed."""

    version: int  # of its profile; 0: not heard of yet
    confirmed: int
