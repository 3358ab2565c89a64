"""Subscriptions, deliveries and the feed as the HTTP interface has them: bodies that come in, answers that go out."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from services.partners.delivery import Delivery
from services.partners.model import Subscription
from shared.events.partners import CauseKind, DeliveryState, Filters
from shared.events.ratings import Tier
from shared.http.application import Body
from shared.http.strings import Country
from shared.kernel.aggregate import Document

Url = Annotated[
    str, Field(min_length=1, max_length=2_000, description="https; no redirects are followed", examples=["https://example.com/hook"])
]
Cursor = Annotated[str, Field(max_length=1_000, description="`next` of the feed")]
SupplierId = Annotated[str, Field(pattern=r"^[\x21-\x7e]{1,100}$")]


class FiltersBody(Body):
    """What to be told of; an empty list means all, several lists must all pass."""

    tiers: Annotated[list[Tier], Field(max_length=5, description="the tier moved to")] = []
    kinds: Annotated[
        list[CauseKind],
        Field(max_length=9, description="what caused it; a match that ended counts as `list_entry` and as `finding`"),
    ] = []
    countries: Annotated[list[Country], Field(max_length=300, description="the supplier's seat")] = []
    supplier_ids: Annotated[list[SupplierId], Field(max_length=1_000)] = []

    def filters(self) -> Filters:
        """As the state keeps them: each value once."""
        return Filters(**{name: tuple(dict.fromkeys(values)) for name, values in self.model_dump().items()})


class SubscribeBody(Body):
    url: Url
    filters: FiltersBody = FiltersBody()


class ChangeBody(Body):
    """What is given is replaced; `filters` as a whole."""

    url: Url | None = None
    filters: FiltersBody | None = None
    state: Literal["enabled", "disabled"] | None = None


class ReplayBody(Body):
    after: Cursor | None = None


class FiltersView(BaseModel):
    tiers: list[Tier]
    kinds: list[CauseKind]
    countries: list[str]
    supplier_ids: list[str]


class SubscriptionView(BaseModel):
    """A subscription; `reason` says why it is disabled: `asked`, or `gone` (its receiver answered 410)."""

    id: str
    version: int
    url: str
    filters: FiltersView
    state: Literal["enabled", "disabled"]
    reason: str | None = None
    replaying: bool
    created_at: datetime
    changed_at: datetime


class SubscriptionCreated(SubscriptionView):
    """Once with its secret: it is shown here and never again."""

    secret: str


class AttemptView(BaseModel):
    at: datetime
    ms: int
    status: int | None
    error: str | None


class DeliveryView(BaseModel):
    """A delivery; its `event_id` is also its `webhook-id`. `reason` says why it is dead: `schedule`, or `disabled`."""

    id: str
    subscription_id: str
    event_id: str
    supplier_id: str
    state: DeliveryState
    due_at: datetime | None
    tries: int
    reason: str | None
    created_at: datetime
    attempts: list[AttemptView]


class TestView(BaseModel):
    id: str
    event_id: str


class FeedView(BaseModel):
    """CloudEvents 1.0, type `duewatch.rating.changed.v1`; `next` goes on behind the last item, now or later."""

    items: list[dict[str, Any]]
    next: str


def subscription(found: Document[Subscription]) -> dict[str, Any]:
    """A SubscriptionView."""
    s = found.state
    return {
        "id": found.id,
        "version": found.version,
        "url": s.url,
        "filters": {
            "tiers": s.filters.tiers,
            "kinds": s.filters.kinds,
            "countries": s.filters.countries,
            "supplier_ids": s.filters.supplier_ids,
        },
        "state": s.state,
        "reason": s.reason or None,
        "replaying": s.replay is not None,
        "created_at": s.created_at,
        "changed_at": s.changed_at,
    }


def delivery(id_: str, d: Delivery) -> dict[str, Any]:
    """A DeliveryView."""
    return {
        "id": id_,
        "subscription_id": d.subscription_id,
        "event_id": d.event_id,
        "supplier_id": d.supplier_id,
        "state": d.state,
        "due_at": d.due_at,
        "tries": d.tries,
        "reason": d.reason or None,
        "created_at": d.created_at,
        "attempts": [{"at": a.at, "ms": a.ms, "status": a.status, "error": a.error or None} for a in d.attempts],
    }
