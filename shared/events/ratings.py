"""What assessment tells: ratings, what they hand on to dependents, and the gate's decisions."""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

from shared.events.envelope import Payload, event
from shared.events.matches import SignalRef
from shared.events.suppliers import ExternalRef

Tier = Literal["low", "medium", "high", "critical", "prohibited"]
TIERS: tuple[Tier, ...] = ("low", "medium", "high", "critical", "prohibited")
DecisionWord = Literal["allow", "allow_with_conditions", "review", "block"]
Effect = Literal["purchase_order", "new_site", "payment"]
MAX_DRIVERS = 20  # told with a rating; all of them count. A list of this length may have been cut


class Link(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One event in a chain of causes."""

    service: str
    type: str
    id: str
    time: datetime | None = None
    subject: str = ""


class OwnerStep(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One owner on the way up, as the profile of whom it owns names it; `percent` of the shares, None where nobody told."""

    name: str
    percent: Decimal | None = None
    supplier_id: str | None = None  # where the owner is a supplier, too


class OwnerPath(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A chain of owners, nearest first; `signal` names the last one. Without a signal the chain was followed no further."""

    steps: tuple[OwnerStep, ...]
    signal: SignalRef | None = None


class Driver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason for a rating: what, how heavy, and the chain of events that led to it, nearest first."""

    code: str
    text: str
    points: float  # what it adds to the score, after decay
    tier: Tier | None = None  # a hard stop's, or a floor's
    chain: tuple[Link, ...] = ()
    signal: SignalRef | None = None
    supplier_id: str | None = None  # where it is inherited
    indicators: tuple[str, ...] = ()
    paths: tuple[OwnerPath, ...] = ()  # of a share that owners hold: at most ten that make it up; never told with a change of rating
    laws: tuple[
        str, ...
    ] = ()  # what laws ask because of it, by their place in the catalogue, LAW.DUTY; what the policy asks stands in the rating's own


class Obligation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the policy asks for at this rating."""

    code: str
    text: str
    kind: Literal["audit", "case", "review", "condition", "report"]
    due_days: int | None = None


class CauseRef(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    type: str
    time: datetime | None = None


class Rating(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A supplier's rating; `score` is 0..1."""

    tier: Tier
    score: float
    policy_version: str
    as_of: datetime
    cause: CauseRef
    drivers: tuple[Driver, ...] = ()
    obligations: tuple[Obligation, ...] = ()


@event("rating.reassessed.v1", None)
class RatingReassessed(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Every reassessment, also when the tier did not move: the history of ratings."""

    rating: Rating
    previous_tier: Tier | None = None


class RatingTold(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """Base: a rating as others need to know it; the subject is the supplier's id."""

    supplier_id: str
    external_refs: tuple[ExternalRef, ...]
    country: str
    tier: Tier
    previous_tier: Tier | None
    cause: CauseRef
    policy_version: str
    drivers: tuple[Driver, ...] = ()
    obligations: tuple[Obligation, ...] = ()


@event("rating.changed.v1", "ratings")
class RatingChanged(RatingTold, frozen=True, kw_only=True, omit_defaults=True):
    """The tier moved. A first rating counts only where it is not low: an ordinary new supplier is no news."""


@event("rating.drivers_changed.v1", "ratings")
class RatingDriversChanged(RatingTold, frozen=True, kw_only=True, omit_defaults=True):
    """The tier stands, but what it rests on moved: another signal, or one less. Audits and remediation follow signals, not tiers."""


class Inherited(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A supplier's own risk as its dependents see it, some hops away."""

    supplier_id: str  # where the risk sits
    score: float  # its own, undamped
    tier: Tier
    hops: int
    chain: tuple[Link, ...] = ()
    signal: SignalRef | None = None
    exposures: tuple[
        SignalRef, ...
    ] = ()  # what its own goods and places fall under, at most five: told on through every tier of a supply chain


class OwnerShare(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A share that somebody holds who is blocked, or may be: by the list entry `signal`, or by the own owners of the supplier that it is."""

    name: str
    percent: Decimal | None = None
    supplier_id: str | None = None
    signal: SignalRef | None = None
    chain: tuple[Link, ...] = ()


class Owned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A supplier that is blocked, or may be, as it tells of itself: by the list entry `signal`, or by its owners' shares.

    Of two that tell of one supplier the higher `revision` is the newer. `more`: it has more such owners above it than are handed on.
    """

    supplier_id: str
    revision: int
    signal: SignalRef | None = None
    chain: tuple[Link, ...] = ()
    shares: tuple[OwnerShare, ...] = ()
    more: bool = False


@event("exposure.propagated.v1", "ratings")
class ExposurePropagated(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """What a supplier hands on to those who buy from it or are owned by it; replaces what it handed on before.

    `owned`: itself and those above it by whom it is blocked, or may be, under the 50 % rule; itself first, nobody where it is not. `revision`: of the
    rating that it comes with, so that an older word is known for one.
    """

    supplier_id: str
    prohibited: bool
    revision: int = 0
    inherited: tuple[Inherited, ...] = ()
    owned: tuple[Owned, ...] = ()


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One answer of the gate, with the rating (its aggregate version) that it rests on."""

    decision: DecisionWord
    effect: Effect
    supplier_id: str | None = None
    rating_version: int = 0
    policy_version: str = ""
    reasons: tuple[str, ...] = ()  # codes
    override_id: str = ""
    stale_lists: tuple[str, ...] = ()  # older than they might be when it was given


@event("decisions.taken.v1", "decisions")
class DecisionsTaken(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """The answers of one call; the id of answer i is SUBJECT.i."""

    decisions: tuple[Decision, ...]
    asked_by: str
