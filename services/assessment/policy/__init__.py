"""The rating policy: the written rules, typed. `load` reads them from YAML and refuses what is incomplete, unknown or contradicts itself.

The version names the rules' content, so that comments and the order of keys do not change it and every other change does.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from shared.documents import read
from shared.errors import Invalid
from shared.events.ratings import TIERS, DecisionWord, Tier

STANDARD = Path(__file__).parents[1] / "policies" / "standard.yaml"
ILO_INDICATORS = (  # ILO indicators of forced labour (SAP-FL, 2012), in ILO's order
    "abuse_of_vulnerability",
    "deception",
    "restriction_of_movement",
    "isolation",
    "physical_and_sexual_violence",
    "intimidation_and_threats",
    "retention_of_documents",
    "withholding_of_wages",
    "debt_bondage",
    "abusive_conditions",
    "excessive_overtime",
)
INDICATORS = frozenset((*ILO_INDICATORS, "child_labour", "trafficking"))
RANK: dict[Tier, int] = {tier: i for i, tier in enumerate(TIERS)}
SEVERITY: dict[DecisionWord, int] = {"allow": 0, "allow_with_conditions": 1, "review": 2, "block": 3}

DriverCode = Literal[
    "list_confirmed", "list_strong", "list_weak", "list_review",
    "blocked_share", "owner_share", "owner_share_unknown", "owner_finding",
    "finding_confirmed", "finding_strong", "finding_weak", "exposure_finding", "exposure_list",
    "region", "country", "non_conformity", "audit_overdue", "case_overdue", "case_reopened", "upstream", "upstream_prohibited",
    "exposure_upstream",
]  # fmt: skip

Weight = Annotated[float, msgspec.Meta(ge=0, le=1)]
Days = Annotated[float, msgspec.Meta(gt=0, le=36_500)]
Text = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Country = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")]
Region = Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}-[A-Z0-9]{1,3}$")]
Code = Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]{0,39}$")]


class Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the policy's parts: a key that is not declared is an error."""


class ListPoints(Part, frozen=True, kw_only=True):
    confirmed: Weight
    strong: Weight
    weak: Weight
    weak_together_at_most: Weight
    review_only: Weight
    review_only_lists: tuple[Code, ...]


class FindingPoints(Part, frozen=True, kw_only=True):
    indicators: dict[str, Weight]
    unspecified: Weight


class ExposurePoints(Part, frozen=True, kw_only=True):
    finding: Weight
    list_entry: Weight
    by_list: dict[Code, Weight]


class NonConformityPoints(Part, frozen=True, kw_only=True):
    minor: Weight
    major: Weight
    critical: Weight
    business_critical: Weight


class FollowUpPoints(Part, frozen=True, kw_only=True):
    audit_overdue: Weight
    case_overdue: Weight
    case_reopened: Weight


class Points(Part, frozen=True, kw_only=True):
    """What each kind of driver adds; together they give 1 - (1 - a)(1 - b)..."""

    list_match: ListPoints
    finding: FindingPoints
    exposure: ExposurePoints
    weak_share: Weight  # what is left of a finding or exposure where the match is weak
    owner_share: Weight  # of a listed owner just under the line; smaller shares in proportion
    regions: dict[Region, Weight]
    countries: dict[Country, Weight]
    non_conformities: NonConformityPoints
    follow_up: FollowUpPoints


class Fading(Part, frozen=True, kw_only=True):
    half_life_days: Days
    expires_days: Days


class FadingOf(Part, frozen=True, kw_only=True):
    party_finding: Fading
    exposure_finding: Fading


class Upstream(Part, frozen=True, kw_only=True):
    damping: Weight
    hops: Annotated[int, msgspec.Meta(ge=0, le=10)]
    together_at_most: Weight


class Owners(Part, frozen=True, kw_only=True):
    blocked_share_percent: Annotated[float, msgspec.Meta(gt=0, le=100)]
    hops: Annotated[int, msgspec.Meta(ge=1, le=20)]  # how long a chain of holdings is followed


class Thresholds(Part, frozen=True, kw_only=True):
    """From which score a tier begins; `prohibited` comes from hard stops alone."""

    medium: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    high: Annotated[float, msgspec.Meta(gt=0, lt=1)]
    critical: Annotated[float, msgspec.Meta(gt=0, lt=1)]


class AtLeast(Part, frozen=True, kw_only=True):
    """The tier below which a rating with such a driver never falls; `prohibited` is a hard stop."""

    list_confirmed: Tier
    list_strong: Tier
    list_weak: Tier
    list_review: Tier
    blocked_share: Tier
    owner_share: Tier
    owner_share_unknown: Tier
    finding_confirmed: Tier
    upstream_prohibited: Tier


class Review(Part, frozen=True, kw_only=True):
    by: Literal["analyst", "admin"]
    days: Annotated[int, msgspec.Meta(ge=1, le=365)]


class TierEffects(Part, frozen=True, kw_only=True):
    """What a tier does to each effect; `valid_seconds`: how long an answer of the gate may be relied on."""

    purchase_order: DecisionWord
    new_site: DecisionWord
    payment: DecisionWord
    review: Review | None
    valid_seconds: Annotated[int, msgspec.Meta(ge=1, le=86_400)]


class Effects(Part, frozen=True, kw_only=True):
    low: TierEffects
    medium: TierEffects
    high: TierEffects
    critical: TierEffects
    prohibited: TierEffects


class StaleEffects(Part, frozen=True, kw_only=True):
    """What the gate says at least to each effect while a list is older than it may be."""

    purchase_order: DecisionWord
    new_site: DecisionWord
    payment: DecisionWord


class Duty(Part, frozen=True, kw_only=True):
    """An obligation and when it arises: from a tier upward, and, where drivers are named, with one of them."""

    code: Code
    kind: Literal["audit", "case", "condition", "report"]
    text: Text
    due_days: Annotated[int, msgspec.Meta(ge=1, le=3650)] | None = None
    from_tier: Tier = "low"
    drivers: tuple[DriverCode, ...] = ()


class Rules(Part, frozen=True, kw_only=True, omit_defaults=True):
    """The document as written."""

    name: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9-]{0,39}$")]
    points: Points
    fading: FadingOf
    upstream: Upstream
    owners: Owners
    tiers: Thresholds
    at_least: AtLeast
    effects: Effects
    obligations: Annotated[tuple[Duty, ...], msgspec.Meta(max_length=100)]
    stale_lists: StaleEffects | None = None  # None: stale lists are named, and change no answer


class Policy(Rules, frozen=True, kw_only=True):
    """Rules with their version, e.g. `standard-0f3a5c7e9b1d`."""

    version: str


def load(text: str) -> Policy:
    """The policy in `text` (YAML). `Malformed`: no such format; `Invalid`: `errors` names each field at fault; neither repeats the text."""
    rules = read(text, Rules)
    errors = [{"field": field, "message": message} for field, message in _contradictions(rules)]
    if errors:
        raise Invalid("The policy contradicts itself; correct the fields named", errors=errors)
    digest = hashlib.sha256(msgspec.json.encode(rules, order="sorted")).hexdigest()
    return Policy(version=f"{rules.name}-{digest[:12]}", **{field: getattr(rules, field) for field in rules.__struct_fields__})


def effects_of(policy: Policy, tier: Tier) -> TierEffects:
    """What `tier` does."""
    effects: TierEffects = getattr(policy.effects, tier)
    return effects


def tier_of(policy: Policy, score: float) -> Tier:
    """The tier that a score alone gives: never `prohibited`, for no sum of suspicions is a legal prohibition."""
    tiers = policy.tiers
    if score < tiers.medium:
        return "low"
    if score < tiers.high:
        return "medium"
    return "high" if score < tiers.critical else "critical"


def _contradictions(rules: Rules) -> list[tuple[str, str]]:
    """(field, message) of each rule that types cannot say."""
    found: list[tuple[str, str]] = []
    points, least, tiers = rules.points.list_match, rules.at_least, rules.tiers
    if not tiers.medium < tiers.high < tiers.critical:
        found.append(("tiers", "medium, high and critical must rise strictly"))
    if set(rules.points.finding.indicators) != INDICATORS:
        found.append(("points.finding.indicators", "give ILO's eleven indicators, child_labour and trafficking, and no others"))
    if not points.weak <= points.strong <= points.confirmed:
        found.append(("points.list_match", "weak, strong and confirmed must not fall: confirming a match never makes it lighter"))
    if not RANK[least.list_weak] <= RANK[least.list_strong] <= RANK[least.list_confirmed]:
        found.append(("at_least", "list_weak, list_strong and list_confirmed must not fall: confirming a match never makes it lighter"))
    if rules.points.owner_share > points.strong or RANK[least.owner_share] > RANK[least.blocked_share]:
        found.append(
            ("points.owner_share", "shares below the line must not weigh more than those above it, which weigh as list_match.strong")
        )
    if least.upstream_prohibited == "prohibited":
        found.append(("at_least.upstream_prohibited", "a supplier is not prohibited for whom it buys from; at most critical"))
    if rules.fading.party_finding.half_life_days > rules.fading.party_finding.expires_days:
        found.append(("fading.party_finding", "expires_days must not be below half_life_days"))
    if rules.fading.exposure_finding.half_life_days > rules.fading.exposure_finding.expires_days:
        found.append(("fading.exposure_finding", "expires_days must not be below half_life_days"))
    unconditional = [RANK[duty.from_tier] for duty in rules.obligations if duty.kind == "condition" and not duty.drivers]
    before: TierEffects | None = None
    for tier in TIERS:
        at: TierEffects = getattr(rules.effects, tier)
        words = {"purchase_order": at.purchase_order, "new_site": at.new_site, "payment": at.payment}
        for effect, word in words.items():
            if before is not None and SEVERITY[word] < SEVERITY[getattr(before, effect)]:
                found.append((f"effects.{tier}.{effect}", "a higher tier must not allow more than the one below"))
        if "allow_with_conditions" in words.values() and not any(rank <= RANK[tier] for rank in unconditional):
            found.append(
                (f"effects.{tier}", "allow_with_conditions needs an obligation of kind condition, without drivers, from this tier or below")
            )
        before = at
    return found
