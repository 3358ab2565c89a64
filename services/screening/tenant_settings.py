"""What a tenant sets of its screening: an alert budget, or a threshold. Pure but for the loading."""

from datetime import datetime

import msgspec

from services.screening.matching.budget import threshold_of
from services.screening.thresholds import TenantThresholds
from shared.events.envelope import Payload, event
from shared.ids import derive
from shared.kernel.aggregate import Aggregate, Cause, Decided, Message
from shared.kernel.kernel import document
from shared.kernel.service import Context

ID = "screening"
_CHANGED = "duewatch.screening.settings_changed.v1"


class Chosen(msgspec.Struct, frozen=True, kw_only=True):
    """The share of clean suppliers that may alert, or the score from which a match is opened; at most one of them, none: as shipped."""

    alert_budget: float | None = None
    review_threshold: float | None = None

    @property
    def review(self) -> float | None:
        """The score from which a match is opened; None: as shipped."""
        return self.review_threshold if self.alert_budget is None else threshold_of(self.alert_budget)


@event("screening.settings_changed.v1", None)
class ScreeningSettingsChanged(Payload, frozen=True, kw_only=True):
    """What a tenant has set, and why. Only the journal has it."""

    alert_budget: float | None
    review_threshold: float | None
    reason: str


class Choose(msgspec.Struct, frozen=True):
    """The values have been checked."""

    chosen: Chosen
    reason: str


class ScreeningSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A tenant's choice. `command`: what set it, from which the id of the event that told of it follows."""

    chosen: Chosen
    reason: str
    set_by: str
    set_at: datetime
    command: str


def _decide(state: ScreeningSettings | None, message: Message, now: datetime) -> Decided[ScreeningSettings] | None:
    body = message.body
    assert isinstance(body, Choose)
    if body.chosen == (state.chosen if state else Chosen()):
        return None
    new = ScreeningSettings(chosen=body.chosen, reason=body.reason, set_by=message.cause.actor, set_at=now, command=message.cause.id)
    told = ScreeningSettingsChanged(
        alert_budget=body.chosen.alert_budget, review_threshold=body.chosen.review_threshold, reason=body.reason
    )  # fmt: skip
    return Decided(new, [told])


SETTINGS = Aggregate(kind="screening_settings", state=ScreeningSettings, decide=_decide)


class TenantSettings:
    """The settings of all tenants in one process: `refresh` reads them anew, into what the join goes by."""

    def __init__(self, ctx: Context, thresholds: TenantThresholds) -> None:
        self._ctx, self._thresholds = ctx, thresholds
        self._told: dict[str, Cause] = {}

    async def refresh(self) -> None:
        """As they stand in the store."""
        async for stored in self._ctx.store.documents(SETTINGS.kind):
            if self._thresholds.of(stored.tenant).version != stored.version:
                found = document(SETTINGS, stored)
                event_id = derive("evt", found.state.command, SETTINGS.kind, found.tenant, found.id, "0")
                self._told[found.tenant] = Cause(event_id, _CHANGED, event_id, found.state.set_by)
                self._thresholds.tenants[found.tenant] = self._thresholds.by(found.state.chosen.review, found.version)

    def cause(self, tenant: str) -> Cause:
        """The event that told of a tenant's settings."""
        return self._told[tenant]
