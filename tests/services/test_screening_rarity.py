"""What the same pair scores moves with what else is listed; what is told of it does not."""

from services.screening.api import ad_hoc
from shared.events.suppliers import StatusCause, SupplierStatusChanged
from tests.services.harness import Harness
from tests.services.test_screening_service import SUPPLIER, entry, matched, profile, signal, supplier, world

__all__ = ["world"]


async def test_what_else_is_listed_is_no_news_where_only_a_status_moves(world: Harness) -> None:
    """Words of it were rare when it was held against the list, and are common now: other scores, a pair more, and nothing new to tell."""
    world.app.include_router(ad_hoc(world.ctx.own))
    await signal(world, entry("AEROCARIBBEAN"), new=True)
    await signal(world, entry("Aerocaribbean Romashka Kamchatkai"), new=True, id_="us_ofac_sdn:37")
    await supplier(world, profile("Aerocaribbean Romashka Kamchatka"), new=True)
    (stands,) = await matched(world)
    for n in range(60):
        await signal(world, entry(f"Romashka Kamchatka {n}"), new=True, id_=f"us_ofac_sdn:9{n}")
    cause = StatusCause(id="evt_1", type="duewatch.rating.changed.v1")
    told = SupplierStatusChanged(profile=profile("Aerocaribbean Romashka Kamchatka"), status="on_hold", cause=cause)
    await world.publish("suppliers", told, subject=SUPPLIER, kind="supplier")
    await world.step()
    assert await matched(world) == [stands]
    asked = await world.client("analyst").post("/v1/screenings", json={"name": "Aerocaribbean Romashka Kamchatka", "country": "DE"})
    first, second = asked.json()["candidates"]
    assert first["score"] != stands["score"]
    assert second["strength"] != "none"
