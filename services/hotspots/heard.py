"""Which events hot-spots hear of, on either runtime."""

from collections.abc import Iterable, Sequence

import msgspec

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
_KINDS = frozenset(kind.encode() for kind in _TYPES)
_REGISTERED, _PUBLIC = SupplierRegistered.type.encode(), PUBLIC.encode()


def concerns(record: Record) -> bool:
    """Can it say anything here? What governments publish is of no tenant: it is heard of by the matches with it."""
    return record.meta.tenant != PUBLIC and record.meta.type in _TYPES


class _Places(msgspec.Struct):
    goods: tuple[msgspec.Raw, ...] = ()
    sites: tuple[msgspec.Raw, ...] = ()
    owners: tuple[msgspec.Raw, ...] = ()


class _Registered(msgspec.Struct):
    profile: _Places


_registered = msgspec.json.Decoder(_Registered)


def says_nothing(topic: str, partition: int, headers: Sequence[tuple[str, bytes]], value: bytes | None) -> bool:
    """Can a Kafka message be passed over by its headers and a look at its data, before anything is made of it? Of an import nearly all can.

    A record of `signals` stands in every partition, and is heard in the first. A new supplier without places and owners says no more than
    nothing would. What cannot be read is not passed over.
    """
    told = dict(headers)
    kind, tenant = told.get("ce_type"), told.get("ce_tenant")
    if kind is None or tenant is None:
        return False
    if tenant == _PUBLIC or kind not in _KINDS or (topic == "signals" and partition):
        return True
    if kind != _REGISTERED or told.get("ce_sequence") != b"1":
        return False
    try:
        profile = _registered.decode(value or b"").profile
    except msgspec.MsgspecError:
        return False
    return not (profile.goods or profile.sites or profile.owners)


def of_record(record: Record, payload: Payload, policy: Policy) -> Iterable[Sighting]:
    """The sightings of an event on `signals`."""
    return of_signal(payload, payload.signal, record.meta, policy) if isinstance(payload, _Signals) else ()
