"""Hot-spots from outside: findings and confirmed matches of independent sources open one, and screening matches suppliers with it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from services.hotspots.policy import of_file
from services.hotspots.service import SERVICE
from services.screening.service import SERVICE as SCREENING
from shared.errors import Invalid
from shared.events.hotspots import HotspotClosed, HotspotDetected, Spot
from shared.events.matches import Match, MatchChanged, MatchOpened, MatchReviewed, MatchState, MatchWithdrawn, SignalRef
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalAddress, SignalName, SignalPublished, SignalWithdrawn, Source
from shared.events.suppliers import Owner, Profile, Site, SourcedGood, SupplierChanged, SupplierRegistered
from tests.services.harness import Harness, harness

COTTON = ExposureSignal(hs="520100", origin="TM")
GOODS = (SourcedGood(hs="520100", origin="TM"),)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as h:
        yield h


async def finding(h: Harness, n: int, subject: Any = COTTON, *, live: bool = True, tenant: str = "default") -> None:
    signal = Signal(subject=subject, source=Source(kind="finding", finding_id=f"fnd_{n}", indicators=("debt_bondage",)), digest=f"f{n}")
    told = SignalPublished(signal=signal) if live else SignalWithdrawn(signal=signal, reason="retracted")
    await h.publish("signals", told, subject=f"fnd_{n}", kind="finding", tenant=tenant)
    await h.step()


async def supplier(h: Harness, n: int, *, new: bool = True, **profile: Any) -> None:
    told = Profile(name=f"Mill {n}", country="TM", **profile)
    await h.publish(
        "suppliers", SupplierRegistered(profile=told) if new else SupplierChanged(profile=told), subject=f"sup_{n}", kind="supplier"
    )
    await h.step()


async def match(h: Harness, n: int, of: int, listed: str, state: MatchState = "confirmed", **more: Any) -> None:
    source = Source(kind="list_entry", list=listed, uid=str(n), release_id="rel_1")
    told = Match(supplier_id=f"sup_{of}", signal=SignalRef(id=f"{listed}:{n}", source=source), **{"about": "party", **more}, state=state)
    kind = {"withdrawn": MatchWithdrawn, "open": MatchOpened}.get(state, MatchReviewed)
    await h.publish("matches", kind(match=told), subject=f"mat_{n}", kind="match")  # type: ignore[operator]
    await h.step()


async def spots(h: Harness, state: str = "open", **caller: str) -> list[tuple[str, int]]:
    answer = await h.client("analyst", **caller).get("/v1/hotspots", params={"state": state})
    assert answer.status_code == 200, answer.text
    return sorted((item["spot"]["kind"], item["sources"]) for item in answer.json()["items"])


async def test_three_findings_of_one_good_open_a_hot_spot_that_closes_when_one_is_retracted(world: Harness) -> None:
    for n in range(3):
        assert await spots(world) == []
        await finding(world, n)
    assert await spots(world) == [("good_origin", 3)]
    (told,) = await world.told("hotspots")
    assert isinstance(told, HotspotDetected)
    assert told.signal.subject == ExposureSignal(hs="5201", origin="TM")
    assert sorted(told.evidence) == ["fnd_0", "fnd_1", "fnd_2"]
    await finding(world, 1, live=False)
    assert await spots(world) == []
    _, closed = await world.told("hotspots")
    assert isinstance(closed, HotspotClosed)
    assert (closed.reason, closed.signal) == ("withdrawn", told.signal)
    answer = await world.client("analyst").get("/v1/hotspots?state=closed")
    (item,) = answer.json()["items"]
    one = await world.client("analyst").get(f"/v1/hotspots/{item['id']}")
    assert one.json()["state"] == "closed"
    assert (await world.client("analyst", tenant="other").get(f"/v1/hotspots/{item['id']}")).status_code == 404


async def test_it_cools(world: Harness) -> None:
    for n in range(3):
        await finding(world, n)
    world.clock.advance(timedelta(days=365 + 89).total_seconds())
    await world.step()
    assert await spots(world) == [("good_origin", 0)]  # out of the window, and still cooling
    world.clock.advance(timedelta(days=2).total_seconds())
    await world.step()
    assert await spots(world) == []
    assert [type(t) for t in await world.told("hotspots")] == [HotspotDetected, HotspotClosed]


async def test_what_people_confirmed_counts_where_the_supplier_stands_by_publisher_and_until_it_is_cleared(world: Harness) -> None:
    for n in range(4):
        await supplier(world, n, goods=GOODS)
    await match(world, 0, 0, "us_ofac_sdn")
    await match(world, 1, 1, "us_ofac_cons")  # the same publisher
    await match(world, 2, 2, "eu_fsf", "open")  # nobody has decided
    await match(world, 4, 2, "eu_fsf", about="exposure")  # says nothing of the supplier
    await finding(world, 0)
    assert await spots(world, "quiet") == [("good_origin", 2), ("group", 1), ("group", 1), ("sector", 2)]
    await match(world, 3, 3, "uk_sanctions")
    assert await spots(world) == [("good_origin", 3)]
    await match(world, 3, 3, "uk_sanctions", "cleared")
    assert await spots(world) == []
    await match(world, 2, 2, "eu_fsf")
    assert await spots(world) == [("good_origin", 3)]
    await supplier(world, 2, new=False, goods=(SourcedGood(hs="090111", origin="BR"),))  # it buys no cotton there any more
    assert await spots(world) == []
    assert ("good_origin", 1) in await spots(world, "quiet")  # but coffee


async def test_a_profile_may_come_after_the_match(world: Harness) -> None:
    await match(world, 0, 0, "us_ofac_sdn")
    for n in range(2):
        await finding(world, n)
    await supplier(world, 0, goods=GOODS)
    assert await spots(world) == [("good_origin", 3)]


async def test_regions_of_sites_and_groups_by_known_shares(world: Harness) -> None:
    site = PartySignal(
        names=(SignalName(name="Kashgar Mill"),), countries=("CN",), addresses=(SignalAddress(country="CN", text="CN-XJ"),)
    )  # fmt: skip
    await finding(world, 0, site)
    await finding(world, 1, ExposureSignal(origin="CN", region="CN-XJ"))
    head = Owner(name="Head", kind="organisation", supplier_id="sup_9", percent=Decimal(60))
    minor = Owner(name="Other", kind="organisation", supplier_id="sup_8", percent=Decimal(10))
    for n, listed in enumerate(("us_ofac_sdn", "eu_fsf")):
        await supplier(world, n, sites=(Site(name="S", country="CN", region="CN-XJ"),) if n == 0 else (), owners=(head, minor))
        await match(world, n, n, listed)
    assert await spots(world) == [("group", 2), ("region", 3)]
    told = [t.signal.subject for t in await world.told("hotspots") if isinstance(t, HotspotDetected)]
    assert ExposureSignal(group="sup_9") in told
    assert ExposureSignal(origin="CN", region="CN-XJ") in told


async def test_a_trader_says_nothing_of_any_place(world: Harness) -> None:
    await supplier(world, 0, goods=tuple(SourcedGood(hs=f"52{n:02}", origin="TM") for n in range(21)))
    await match(world, 0, 0, "us_ofac_sdn")
    assert await spots(world, "quiet") == [("group", 1)]


async def test_tenants_do_not_meet(world: Harness) -> None:
    for n in range(4):
        await finding(world, n, tenant="default" if n % 2 else "other")
    assert await spots(world) == []
    assert await spots(world, "quiet", tenant="other") == [("good_origin", 2), ("sector", 2)]


async def test_what_moves_in_a_confirmed_match_makes_it_no_younger(world: Harness) -> None:
    await supplier(world, 0, goods=GOODS)
    await match(world, 0, 0, "us_ofac_sdn")
    await finding(world, 0)
    world.clock.advance(timedelta(days=300).total_seconds())
    source = Source(kind="list_entry", list="us_ofac_sdn", uid="0", release_id="rel_2")
    moved = Match(supplier_id="sup_0", signal=SignalRef(id="us_ofac_sdn:0", source=source), about="party", state="confirmed")
    await world.publish("matches", MatchChanged(match=moved), subject="mat_0", kind="match")
    world.clock.advance(timedelta(days=100).total_seconds())
    for n in (1, 2):
        await finding(world, n)
    assert await spots(world) == []


async def test_screening_matches_suppliers_with_a_hot_spot_as_with_any_signal(tmp_path: Path) -> None:
    async with harness(tmp_path, SERVICE, SCREENING) as h:
        await supplier(h, 0, goods=(SourcedGood(hs="520110", origin="TM"),))
        for n in range(3):
            await finding(h, n)

        async def matched() -> list[tuple[str, str]]:
            items = (await h.client("analyst").get("/v1/matches", params={"supplier_id": "sup_0"})).json()["items"]
            return [(m["signal"]["name"], m["state"]) for m in items if m["signal"]["kind"] == "hotspot"]

        assert await matched() == [("HS 5201 from TM", "open")]
        await finding(h, 0, live=False)
        assert await matched() == [("HS 5201 from TM", "withdrawn")]
        await finding(h, 7)
        assert await matched() == [("HS 5201 from TM", "open")]
        await supplier(h, 1, goods=(SourcedGood(hs="520110", origin="TM"),))  # that comes later
        found = (await h.client("analyst").get("/v1/matches", params={"supplier_id": "sup_1"})).json()["items"]
        assert "hotspot" in [m["signal"]["kind"] for m in found]
    async with harness(tmp_path, SERVICE, SCREENING) as h:  # rebuilt from both topics
        await supplier(h, 2, goods=(SourcedGood(hs="520110", origin="TM"),))
        found = (await h.client("analyst").get("/v1/matches", params={"supplier_id": "sup_2"})).json()["items"]
        assert "hotspot" in [m["signal"]["kind"] for m in found]


async def test_a_group_touches_whom_its_head_owns(tmp_path: Path) -> None:
    async with harness(tmp_path, SCREENING) as h:
        for n, share in enumerate((60, 50, 20)):
            await supplier(h, n, owners=(Owner(name="Head", kind="organisation", supplier_id="sup_9", percent=Decimal(share)),))
        signal = Signal(subject=ExposureSignal(group="sup_9"), source=Source(kind="hotspot"), digest="g")
        told = HotspotDetected(signal=signal, spot=Spot(kind="group", group="sup_9"), sources=2)
        await h.publish("hotspots", told, subject="hot_1", kind="thing")
        await h.step()
        found = (await h.client("analyst").get("/v1/matches")).json()["items"]
        assert sorted((m["supplier_id"], m["strength"], m["signal"]["name"]) for m in found) == [
            ("sup_0", "strong", "of the group of sup_9"), ("sup_1", "strong", "of the group of sup_9"), ("sup_2", "weak", "of the group of sup_9"),
        ]  # fmt: skip


async def test_another_policy_by_a_file_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "services/hotspots/policies/standard.yaml").read_text(encoding="utf-8")
    ours = tmp_path / "ours.yaml"
    ours.write_text(text.replace("sources: 3", "sources: 2"), encoding="utf-8")
    async with harness(tmp_path / "data", SERVICE, hotspot_policy=str(ours)) as h:
        for n in range(2):
            await finding(h, n)
        assert await spots(h) == [("good_origin", 2)]
    for wrong in (text.replace("sources: 3", "sources: 1"), text.replace("cooling_days: 90", "cooling_weeks: 9"), text + "colour: red\n"):
        ours.write_text(wrong, encoding="utf-8")
        with pytest.raises(Invalid):
            of_file(str(ours))
    with pytest.raises(Invalid):
        of_file(str(tmp_path / "nothing"))
