"""The door of onboarding: who we buy from."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.onboarding import api
from services.onboarding.imports import api as imports_api
from services.onboarding.imports.model import IMPORTS
from services.onboarding.imports.running import tasks
from services.onboarding.model import SUPPLIERS
from services.onboarding.reactions import reactions
from shared.kernel.service import Context, Service


def _routers(ctx: Context) -> Sequence[APIRouter]:
    return [*api.routers(ctx), *imports_api.routers(ctx)]


SERVICE = Service("onboarding", aggregates=(SUPPLIERS, IMPORTS), api=_routers, reactions=reactions, tasks=tasks)
