"""The gate's answers: a rating turned into a view per supplier once, so that each question only looks up and dates its answer."""

from datetime import datetime, timedelta

import msgspec

from services.assessment.policy import SEVERITY, Policy, Review, effects_of
from shared.events.ratings import DecisionWord, Effect, Rating, Tier
from shared.events.suppliers import Status

MAX_REASONS = 10


class GateReason(msgspec.Struct, frozen=True, kw_only=True):
    """A driver's code and its text in plain language."""

    code: str
    text: str


UNKNOWN = GateReason(code="unknown_supplier", text="No supplier of this number or id has been screened; register it or wait until it is")


INACTIVE = GateReason(code="inactive_supplier", text="The supplier was deactivated: nothing new is ordered until it is activated again")


STALE = GateReason(code="stale_list", text="A list is older than it may be; what it says since is not known. See stale_lists")


class GateView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All the gate needs of a supplier: a word per effect, and reasons and conditions for the words that are not `allow`."""

    tier: Tier
    policy_version: str
    as_of: datetime
    purchase_order: DecisionWord
    new_site: DecisionWord
    payment: DecisionWord
    valid_seconds: int
    review: Review | None = None
    reasons: tuple[GateReason, ...] = ()
    conditions: tuple[str, ...] = ()


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the gate says to one question; `data_as_of` is None for an unknown supplier, `conditions` only with `allow_with_conditions`."""

    decision: DecisionWord
    reasons: tuple[GateReason, ...]
    conditions: tuple[str, ...]
    policy_version: str
    data_as_of: datetime | None
    valid_until: datetime


def effects(rating: Rating, policy: Policy, status: Status = "active") -> GateView:
    """The view of a supplier so rated. From one that a person has deactivated nothing new is bought unseen; what is owed is paid as rated."""
    at, inactive = effects_of(policy, rating.tier), status == "inactive"
    drivers = dict.fromkeys((driver.code, driver.text) for driver in rating.drivers) if rating.drivers else {}
    reasons = tuple(GateReason(code=code, text=text) for code, text in list(drivers)[:MAX_REASONS])
    return GateView(
        tier=rating.tier,
        policy_version=rating.policy_version,
        as_of=rating.as_of,
        purchase_order=_at_least_review(at.purchase_order) if inactive else at.purchase_order,
        new_site=_at_least_review(at.new_site) if inactive else at.new_site,
        payment=at.payment,
        valid_seconds=at.valid_seconds,
        review=at.review,
        reasons=(*reasons[: MAX_REASONS - 1], INACTIVE) if inactive else reasons,
        conditions=tuple(duty.text for duty in rating.obligations if duty.kind == "condition"),
    )


def _at_least_review(word: DecisionWord) -> DecisionWord:
    return word if SEVERITY[word] >= SEVERITY["review"] else "review"


def answer(view: GateView | None, effect: Effect, now: datetime, policy: Policy, *, stale: bool = False) -> Answer:
    """The answer to one question; None, an unknown supplier, is `review`, valid no longer than where everything is forbidden.

    It is a rating's answer: an override, with its actor, reason and expiry, is applied by whoever keeps overrides.
    """
    if view is None:
        until = now + timedelta(seconds=policy.effects.prohibited.valid_seconds)
        return Answer(
            decision="review", reasons=(UNKNOWN,), conditions=(), policy_version=policy.version, data_as_of=None, valid_until=until
        )
    word: DecisionWord = getattr(view, effect)
    reasons = () if word == "allow" else view.reasons
    least: DecisionWord = getattr(policy.stale_lists, effect) if stale and policy.stale_lists else "allow"
    if SEVERITY[least] > SEVERITY[word]:
        word, reasons = least, (STALE, *reasons)[:MAX_REASONS]
    return Answer(
        decision=word,
        reasons=reasons,
        conditions=view.conditions if word == "allow_with_conditions" else (),
        policy_version=view.policy_version,
        data_as_of=view.as_of,
        valid_until=now + timedelta(seconds=view.valid_seconds),
    )
