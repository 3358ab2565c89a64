"""Reports and findings over HTTP."""

from fastapi import APIRouter

from services.intelligence.findings.findings_api import findings_router
from services.intelligence.findings.reports_api import reports_router
from services.intelligence.findings.vault import Vault
from shared.kernel.service import Context


def routers(ctx: Context) -> list[APIRouter]:
    """The routes of both, over one vault."""
    vault = Vault(ctx)
    return [reports_router(ctx, vault), findings_router(ctx, vault)]
