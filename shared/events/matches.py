"""What screening tells: matches of suppliers with signals, that a supplier has been screened, and that a sweep is complete."""

from datetime import date, datetime
from typing import Literal

import msgspec

from shared.events.envelope import Payload, event
from shared.events.signals import Abuse, Advancement, Source
from shared.events.suppliers import Profile, Status

MatchState = Literal["open", "escalated", "confirmed", "cleared", "withdrawn"]
Strength = Literal["strong", "weak"]


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of why two names (or a good and an exposure) match."""

    kind: str
    asked: str = ""
    found: str = ""
    score: float = 0.0


class SignalRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The signal as the match saw it, and the event that told of it: enough to lead a chain of causes to its end."""

    id: str
    source: Source
    name: str = ""  # the name, or the exposure in words
    schema: str = ""
    event_id: str = ""
    event_type: str = ""
    event_time: datetime | None = None
    abuses: tuple[Abuse, ...] = ()  # these four of an exposure, as `ExposureSignal` has them
    valid_from: date | None = None
    valid_until: date | None = None
    advancement: Advancement | None = None


class Match(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One supplier touched by one signal."""

    supplier_id: str
    signal: SignalRef
    about: Literal["party", "exposure"]
    party: Literal["supplier", "owner"] = "supplier"
    party_name: str = ""  # which of the supplier's (or its owner's) names
    owner_percent: str | None = None  # of an owner
    score: float = 0.0
    strength: Strength = "weak"
    why: tuple[Reason, ...] = ()
    state: MatchState = "open"
    reviewed_by: str = ""
    reason_code: str = ""
    agreed_by: str = ""  # the second person, where it took two
    carried_from: str = ""  # the id of the signal that the review was said of: the list has the same party under another id now


class MatchEvent(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Base: the subject is the match's id, the partition key the supplier's."""

    match: Match


@event("match.opened.v1", "matches")
class MatchOpened(MatchEvent, frozen=True, kw_only=True, omit_defaults=True):
    """A new pair, or a cleared or withdrawn one that came back. A new one is settled already where its review is carried over from another id."""


@event("match.changed.v1", "matches")
class MatchChanged(MatchEvent, frozen=True, kw_only=True, omit_defaults=True):
    """Score, strength or one of the sides moved."""


@event("match.reviewed.v1", "matches")
class MatchReviewed(MatchEvent, frozen=True, kw_only=True, omit_defaults=True):
    """A person escalated, confirmed or cleared it; two where it forbids dealings or lets them go on."""


@event("match.withdrawn.v1", "matches")
class MatchWithdrawn(MatchEvent, frozen=True, kw_only=True, omit_defaults=True):
    """One side is gone, or they do not match any more."""


@event("supplier.screened.v1", "matches")
class SupplierScreened(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A version of a supplier's profile has been held against all signals: only now may the gate know it. Its matches came before."""

    supplier_id: str
    supplier_version: int
    profile: Profile
    status: Status
    matches: int


@event("sweep.completed.v1", "matches")
class SweepCompleted(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Every partition has passed a release's marker."""

    list: str
    release_id: str
    partitions: int
    signals: int
