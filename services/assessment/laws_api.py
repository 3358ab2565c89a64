"""How people look up laws: what the catalogue that comes with this version says, and since when it is known to be right."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter

from services.assessment.policy.laws import Law, in_words, shipped
from shared.errors import NotFound
from shared.http.auth import requires, router
from shared.security.roles import Permission, Principal


def law_routes() -> APIRouter:
    """The catalogue of laws; the same for everybody."""
    routes = router("/v1", tag="assessment")
    ratings = requires(Permission.RATINGS_READ)

    @routes.get("/laws")
    async def get_laws(_: Annotated[Principal, ratings], jurisdiction: str | None = None) -> dict[str, Any]:
        """Laws that a match or an exposure can bring duties of: whom they bind, what they ask for and by when. Not legal advice."""
        return {"items": [_view(law) for law in shipped() if jurisdiction in (None, law.jurisdiction)], "next": None}

    @routes.get("/laws/{law_id}")
    async def get_law(_: Annotated[Principal, ratings], law_id: str) -> dict[str, Any]:
        """One law."""
        for law in shipped():
            if law.id == law_id:
                return _view(law)
        raise NotFound("There is no such law in the catalogue; GET /v1/laws names those that are")

    return routes


def _view(law: Law) -> dict[str, Any]:
    """A law as the API gives it; a duty's id is the one that a rating names, `due` its clock in words."""
    view: dict[str, Any] = msgspec.to_builtins(law)
    duties = [
        {**told, "id": f"{law.id}.{duty.id}", "due": in_words(duty.clock) or None}
        for told, duty in zip(view["duties"], law.duties, strict=True)
    ]
    return {**view, "duties": duties, "status": "unverified" if law.verified is None else "verified"}
