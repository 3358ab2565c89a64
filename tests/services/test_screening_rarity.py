"""What the same pair scores moves with what else is listed; what is told of it does not."""

from services.screening.api import ad_hoc
from services.screening.model import Touched
from services.screening.reactions import GROUP
from shared.bus.embedded import EmbeddedBus
from shared.events.envelope import Record
from shared.events.matches import MatchEvent, MatchOpened, MatchWithdrawn, SupplierScreened
from shared.events.signals import SignalPublished
from shared.events.suppliers import StatusCause, SupplierChanged, SupplierRegistered, SupplierStatusChanged
from shared.events.topics import partition_of
from tests.services.harness import Harness
from tests.services.test_screening_service import ENTRY, SUPPLIER, entry, matched, profile, signal, supplier, world

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


def _copies(world: Harness, partition: int) -> list[Record]:
    """What a reader gets of the signals' topic, of one partition."""
    bus = world.node.contexts["intelligence"].bus
    assert isinstance(bus, EmbeddedBus)
    return bus.log("signals").read("signals", partition, 0, 1000)


async def _hear(world: Harness, records: list[Record], *, commit: bool = True) -> None:
    reaction = next(reactor.reaction for reactor in world.reactors if reactor.reaction.group == GROUP)
    items = await reaction.react(records)
    if commit:
        outcomes = await world.ctx.kernel.apply_many(items, strict=True)
        assert reaction.after is not None
        reaction.after(outcomes)


async def _listed_behind_suppliers(world: Harness) -> None:
    """Namesakes in all partitions, then an entry of their name, then many that share its words; the signals are not heard yet."""
    for at in range(12):
        await world.publish(
            "suppliers",
            SupplierRegistered(profile=profile("Aerocaribbean Romashka Kamchatka")),
            subject=f"sup_{at}",
            kind="supplier",
        )
    await world.step()
    told = [(ENTRY, "Romashka Kamchatka Aerocaribbean Kholod"), *((f"us_ofac_sdn:9{n}", f"Romashka Kamchatka {n}") for n in range(60))]
    for id_, name in told:
        await world.publish("signals", SignalPublished(signal=entry(name)), subject=id_, tenant="public", kind="entry")


async def _scores(world: Harness) -> dict[str, float]:
    answer = await world.client("analyst").get("/v1/matches", params={"limit": 500})
    return {one["supplier_id"]: one["score"] for one in answer.json()["items"] if one["signal"]["id"] == ENTRY}


async def test_partitions_may_come_one_behind_the_other(world: Harness) -> None:
    """Namesakes score the same against an entry, though what was listed behind it is known when its copy comes from the second partition."""
    await _listed_behind_suppliers(world)
    count = world.ctx.bus.partitions
    assert len({partition_of(f"sup_{at}", count) for at in range(12)}) > 1
    for partition in range(count):
        await _hear(world, _copies(world, partition))
    found = await _scores(world)
    assert len(found) == 12
    assert len(set(found.values())) == 1


async def test_a_batch_that_was_not_committed_is_looked_at_again(world: Harness) -> None:
    """Also for the partitions that it was ahead of."""
    await _listed_behind_suppliers(world)
    await _hear(world, _copies(world, 0), commit=False)
    for partition in range(world.ctx.bus.partitions):
        await _hear(world, _copies(world, partition))
    assert len(await _scores(world)) == 12


async def test_partitions_that_were_away_are_looked_at_as_they_come(world: Harness) -> None:
    """What was seen for them ahead says nothing of what another process did to them meanwhile."""
    worker, count = world.ctx.own, world.ctx.bus.partitions
    await _listed_behind_suppliers(world)
    await _hear(world, _copies(world, 0))
    away = frozenset(range(1, count))
    await worker.revoked(away)
    await worker.assigned(away, {f"suppliers/{p}": 1_000 for p in away})
    for partition in sorted(away):
        items = await worker.react(_copies(world, partition))
        own = {f"sup_{at}" for at in range(12) if partition_of(f"sup_{at}", count) == partition}
        assert own <= {one.message.body.match.supplier_id for one in items if isinstance(one.message.body, Touched)}


async def test_two_events_of_a_supplier_in_one_batch_are_looked_at_in_their_order(world: Harness) -> None:
    """The batch is worked on step by step: what the second one says must not be known when the first one is looked at."""
    await signal(world, entry("Aerocaribbean Kamchatka"), new=True)
    for told in (profile("Aerocaribbean Kamchatka"), profile("Zelenograd Optika")):
        kind = SupplierRegistered if told.name.startswith("Aero") else SupplierChanged
        await world.publish("suppliers", kind(profile=told), subject=SUPPLIER, kind="supplier")
        await world.publish("suppliers", SupplierRegistered(profile=profile("Berezka")), subject=f"sup_{told.name[0]}", kind="supplier")
    await world.step()
    (match,) = await matched(world)
    assert match["state"] == "withdrawn"
    told = await world.told("matches")
    assert [type(one) for one in told if isinstance(one, MatchEvent)] == [MatchOpened, MatchWithdrawn]
    assert [one.matches for one in told if isinstance(one, SupplierScreened)] == [1, 0, 0, 0]
