"""How partners and their programs come in."""

from fastapi import APIRouter

from services.partners.deliveries_api import deliveries_routes, feed_routes
from services.partners.subscriptions_api import subscription_routes
from shared.kernel.service import Context


def routers(ctx: Context) -> list[APIRouter]:
    """All of partners' routes."""
    return [*subscription_routes(ctx), deliveries_routes(ctx), feed_routes(ctx)]
