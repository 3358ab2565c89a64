"""What only partners' own journal keeps: the feed itself, the course of subscriptions and deliveries, and the content of a test delivery."""

from typing import Literal

import msgspec

from shared.events.envelope import Payload, event
from shared.events.ratings import Tier

CauseKind = Literal["list_entry", "finding", "hotspot", "audit", "case", "upstream", "supplier", "policy", "time", "other"]
SubscriptionState = Literal["enabled", "disabled", "deleted"]
SubscriptionStep = Literal["created", "changed", "disabled", "deleted", "secret_rotated", "replay_asked", "replay_advanced"]
DeliveryState = Literal["waiting", "queued", "delivered", "dead"]


class Filters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a subscriber wants to hear; an empty list means all. `tiers`: the tier moved to; `kinds`: see services.partners.filters."""

    tiers: tuple[Tier, ...] = ()
    kinds: tuple[CauseKind, ...] = ()
    countries: tuple[str, ...] = ()
    supplier_ids: tuple[str, ...] = ()


@event("feed.appended.v1", None)
class FeedAppended(Payload, frozen=True, kw_only=True):
    """One item of a tenant's feed: a CloudEvent, to the byte as subscribers get it."""

    event: msgspec.Raw


@event("subscription.changed.v1", None)
class SubscriptionChanged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """A subscription was made, changed, switched on or off, deleted, given a new secret or a replay; all but its secrets."""

    what: SubscriptionStep
    url: str
    filters: Filters
    state: SubscriptionState
    reason: str = ""  # why it is disabled
    replayed: int | None = None  # of a replay: the feed's version up to which it is done


@event("delivery.changed.v1", None)
class DeliveryChanged(Payload, frozen=True, kw_only=True, omit_defaults=True):
    """One step of telling one subscriber of one event."""

    subscription_id: str
    event_id: str
    state: DeliveryState
    attempt: int = 0  # of this series
    status: int | None = None  # HTTP
    error: str = ""


@event("subscription.test.v1", None)
class SubscriptionTest(Payload, frozen=True, kw_only=True):
    """The content of a test delivery."""

    subscription_id: str
