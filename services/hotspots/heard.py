"""Which events hot-spots hear of, on either runtime."""

from collections.abc import Iterable

from services.hotspots.policy import Policy
from services.hotspots.sightings import Sighting, of_signal
from shared.events.envelope import PUBLIC, Payload, Record
from shared.events.matches import MatchChanged, MatchOpened, MatchReviewed, MatchWithdrawn
from shared.events.signals import SignalChanged, SignalPublished, SignalWithdrawn
from shared.events.suppliers import CodeAcknowledged, SupplierChanged, SupplierRegistered, SupplierStatusChanged

GROUP = "hotspots"
TOPICS = ("signals", "matches", "suppliers")
_Signals = SignalPublished | SignalChanged | SignalWithdrawn
_TYPES = frozenset(
    kind.type for kind in (
        SignalPublished, SignalChanged, SignalWithdrawn, MatchOpened, MatchChanged, MatchReviewed, MatchWithdrawn,
        SupplierRegistered, SupplierChanged, SupplierStatusChanged, CodeAcknowledged,
    )
)  # fmt: skip


def concerns(record: Record) -> bool:
    """Can it say anything here? What governments publish is of no tenant: it is heard of by the matches with it."""
    return record.meta.tenant != PUBLIC and record.meta.type in _TYPES


def of_record(record: Record, payload: Payload, policy: Policy) -> Iterable[Sighting]:
    """The sightings of an event on `signals`."""
    return of_signal(payload, payload.signal, record.meta, policy) if isinstance(payload, _Signals) else ()
