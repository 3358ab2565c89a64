"""How an admin sets what a tenant's screening alerts on."""

from typing import Annotated, Any, Self

from fastapi import APIRouter
from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.screening.matching import budget
from services.screening.tenant_settings import ID, SETTINGS, Choose, Chosen, ScreeningSettings
from services.screening.thresholds import TenantThresholds
from shared.http.application import Body
from shared.http.auth import requires, router
from shared.http.strings import Text
from shared.kernel.aggregate import Cause, Document, Item, Message
from shared.kernel.service import Context
from shared.security.roles import Permission, Principal

_LEAST, _MOST = budget.threshold_of(budget.MOST), budget.threshold_of(budget.LEAST)


class SettingsBody(Body):
    """An alert budget, or a threshold, or neither: then as shipped."""

    alert_budget: Annotated[
        float | None,
        Field(ge=budget.LEAST, le=budget.MOST, description="share of clean suppliers that may alert, as the shipped model measured it"),
    ] = None
    review_threshold: Annotated[float | None, Field(ge=_LEAST, le=_MOST, description="score from which a match is opened")] = None
    reason: Annotated[Text, Field(min_length=3, max_length=1000)]

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.alert_budget is not None and self.review_threshold is not None:
            raise PydanticCustomError("duewatch", "{message}", {"message": "Give alert_budget or review_threshold, not both"})
        return self


def setting(ctx: Context) -> APIRouter:
    """A tenant's settings of screening."""
    routes = router("/v1", tag="screening")

    @routes.get("/screening-settings")
    async def get_settings(caller: Annotated[Principal, requires(Permission.POLICY_READ)]) -> dict[str, Any]:
        """What the tenant has set, and the scores from which a match is opened (`review`) and strong."""
        return _view(ctx, await ctx.kernel.get(SETTINGS, caller.tenant, ID))

    @routes.put("/screening-settings")
    async def put_settings(caller: Annotated[Principal, requires(Permission.POLICY_WRITE)], body: SettingsBody) -> dict[str, Any]:
        """Sets the tenant's alert budget or threshold. It acts on whatever is screened from now on; what stands is screened again by it.

        A strong match is one that is reviewed, too: where the threshold is above the shipped one of strong matches, it takes its place.
        """
        chosen = Chosen(alert_budget=body.alert_budget, review_threshold=body.review_threshold)
        cause = Cause(ctx.ids.new("cmd"), "command.set_screening", actor=caller.subject)
        outcome = await ctx.kernel.execute(Item(SETTINGS, caller.tenant, ID, Message(Choose(chosen, body.reason), cause)))
        return _view(ctx, outcome.document)

    return routes


def _view(ctx: Context, found: Document[ScreeningSettings] | None) -> dict[str, Any]:
    known: TenantThresholds = ctx.own.join.thresholds
    chosen = found.state.chosen if found else Chosen()
    in_force = known.by(chosen.review)
    return {
        "alert_budget": chosen.alert_budget, "review_threshold": chosen.review_threshold,
        "in_force": {"review": in_force.review, "strong": in_force.strong},
        "version": found.version if found else 0, "reason": found.state.reason if found else "",
        "set_by": found.state.set_by if found else None, "set_at": found.state.set_at if found else None,
    }  # fmt: skip
