"""Screening from outside: matches, what people say of them, and how long that holds."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.screening.api import ad_hoc
from services.screening.matching.model import STRONG
from services.screening.service import SERVICE
from shared.events.matches import MatchChanged, MatchOpened, SupplierScreened
from shared.events.signals import (
    ExposureSignal,
    PartySignal,
    ReleaseAccepted,
    ReleasePublished,
    Signal,
    SignalAddress,
    SignalChanged,
    SignalIdentifier,
    SignalName,
    SignalPublished,
    SignalWithdrawn,
    Source,
    sweep_id,
)
from shared.events.suppliers import Address, Owner, Profile, SourcedGood, SupplierChanged, SupplierRegistered
from tests.services.harness import Harness, harness

ENTRY, SUPPLIER = "us_ofac_sdn:36", "sup_1"


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as h:
        yield h


def entry(name: str = "AEROCARIBBEAN AIRLINES", *, programs: tuple[str, ...] = ("CUBA",), remarks: str = "", **subject: Any) -> Signal:
    about = PartySignal(names=(SignalName(name=name, kind="primary"),), **{"countries": ("CU",), **subject})
    source = Source(kind="list_entry", list="us_ofac_sdn", uid="36", release_id="rel_1", programs=programs)
    return Signal(subject=about, source=source, remarks=remarks, digest=str(hash((about, source, remarks))))


def profile(name: str = "Aerocaribbean Airlines", country: str = "DE", **parts: Any) -> Profile:
    return Profile(name=name, country=country, **parts)


async def signal(h: Harness, told: Signal | None, *, new: bool = False, id_: str = ENTRY) -> None:
    payload = SignalWithdrawn(signal=entry()) if told is None else SignalPublished(signal=told) if new else SignalChanged(signal=told)
    await h.publish("signals", payload, subject=id_, tenant="public", kind="entry")
    await h.step()


async def supplier(h: Harness, told: Profile, *, new: bool = False) -> None:
    payload = SupplierRegistered(profile=told) if new else SupplierChanged(profile=told)
    await h.publish("suppliers", payload, subject=SUPPLIER, kind="supplier")
    await h.step()


async def matched(h: Harness) -> list[dict[str, Any]]:
    answer = await h.client("analyst").get("/v1/matches", params={"supplier_id": SUPPLIER})
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def review(h: Harness, match_id: str, outcome: str, *, by: str = "ada", **headers: str) -> Any:
    body = {"outcome": outcome, "reason_code": "different_business", "note": "a dairy"}
    return await h.client("analyst", subject=by).post(f"/v1/matches/{match_id}/review", json=body, headers=headers)


async def settle(h: Harness, match_id: str, outcome: str, *, by: str = "ada") -> Any:
    """A review of a list that forbids dealings, to which somebody else agrees where that is needed."""
    said = await review(h, match_id, outcome, by=by)
    if said.status_code != 200 or said.json()["proposal"] is None:
        return said
    body = {"outcome": "approved", "reason": "seen, too"}
    return await h.client("analyst", subject="zoe").post(f"/v1/matches/{match_id}/approval", json=body)


async def cleared(h: Harness) -> str:
    await signal(h, entry(), new=True)
    await supplier(h, profile(), new=True)
    (match,) = await matched(h)
    assert (await settle(h, match["id"], "cleared")).json()["state"] == "cleared"
    return str(match["id"])


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (entry(remarks="Secondary sanctions risk"), "cleared"),
        (entry(programs=("CUBA", "SDGT")), "cleared"),
        (entry("AERO CARIBBEAN AIRLINES"), "open"),
        (entry(countries=("CU", "DE")), "open"),
        (entry(identifiers=(SignalIdentifier(kind="Tax ID No.", value="999"),)), "open"),
        (entry(addresses=(SignalAddress(city="Havana", country="CU"),)), "open"),
    ],
)
async def test_a_cleared_pair_stays_cleared_until_the_entry_is_another_party(world: Harness, told: Signal, state: str) -> None:
    await cleared(world)
    await signal(world, told)
    assert [m["state"] for m in await matched(world)] == [state]


@pytest.mark.parametrize(
    ("told", "state"),
    [
        (profile(addresses=(Address(city="Bonn", country="DE"),)), "cleared"),
        (profile(addresses=(Address(city="Lyon", country="FR"),)), "cleared"),
        (profile(owners=(Owner(name="Somebody Else", kind="person"),)), "cleared"),
        (profile(addresses=(Address(city="Havana", country="CU"),)), "open"),  # the entry's country
        (profile(country="FR"), "open"),
        (profile("Aerocaribbean Airlines Holding"), "open"),
    ],
)
async def test_and_until_the_supplier_is(world: Harness, told: Profile, state: str) -> None:
    await cleared(world)
    await supplier(world, told)
    assert [m["state"] for m in await matched(world)] == [state]


@pytest.mark.parametrize("outcome", ["cleared", "confirmed"])
async def test_what_was_settled_holds_again_when_the_same_pair_comes_back(world: Harness, outcome: str) -> None:
    match_id = await cleared(world)
    await settle(world, match_id, outcome, by="bo")
    for away, back in ((signal(world, None), signal(world, entry())), (supplier(world, profile("Zebra Ltd")), supplier(world, profile()))):
        await away
        assert [m["state"] for m in await matched(world)] == ["withdrawn"]
        assert (await review(world, match_id, "cleared")).status_code == 409
        await back
        (again,) = await matched(world)
        assert (again["state"], again["reviewed_by"], again["reason_code"]) == (outcome, "bo", "different_business")


async def test_a_cleared_pair_hides_no_other(world: Harness) -> None:
    await cleared(world)
    await signal(world, entry("AEROCARIBBEAN AIRLINES SA"), new=True, id_="us_ofac_sdn:37")
    await supplier(world, profile(owners=(Owner(name="Aerocaribbean Airlines", kind="organisation"),)))
    found = sorted((m["signal"]["id"], m["party"], m["state"]) for m in await matched(world))
    assert found == [
        (ENTRY, "owner", "open"),
        (ENTRY, "supplier", "cleared"),
        ("us_ofac_sdn:37", "owner", "open"),
        ("us_ofac_sdn:37", "supplier", "open"),
    ]


async def test_two_owners_of_one_name_are_one_match_that_keeps_still(world: Harness) -> None:
    await signal(world, entry(), new=True)
    owners = tuple(Owner(name="Aerocaribbean Airlines", kind="organisation", percent=share) for share in (30, 25))  # type: ignore[arg-type]
    await supplier(world, profile("Zebra Ltd", owners=owners), new=True)
    await supplier(world, profile("Zebra Ltd", owners=owners, addresses=(Address(city="Bonn", country="DE"),)))
    told = await world.told("matches")
    assert [type(t) for t in told if isinstance(t, MatchOpened | MatchChanged)] == [MatchOpened]
    assert [t.matches for t in told if isinstance(t, SupplierScreened)] == [1, 1]


async def test_a_match_tells_its_history(world: Harness) -> None:
    match_id = await cleared(world)
    await supplier(world, profile(country="FR"))
    told = (await world.client("analyst").get(f"/v1/matches/{match_id}")).json()["history"]
    assert [(h["type"].split(".")[2], h["state"], h["actor"]) for h in told] == [
        ("opened", "open", None), ("proposed", "open", "ada"), ("proposal_decided", "open", "zoe"), ("reviewed", "cleared", "zoe"), ("opened", "open", None),
    ]  # fmt: skip


async def test_a_review_of_what_has_changed_meanwhile_is_refused(world: Harness) -> None:
    match_id = await cleared(world)
    assert (await review(world, match_id, "confirmed", **{"If-Match": '"1"'})).status_code == 412
    assert (await review(world, match_id, "confirmed", **{"If-Match": '"3"'})).status_code == 200


async def test_who_confirmed_a_match_does_not_clear_it_by_a_detour(world: Harness) -> None:
    match_id = await cleared(world)
    for outcome in ("confirmed", "escalated"):
        assert (await settle(world, match_id, outcome)).status_code == 200
        assert (await review(world, match_id, "cleared")).status_code == 403
    assert (await settle(world, match_id, "cleared", by="bo")).status_code == 200
    assert (await settle(world, match_id, "cleared")).status_code == 200


async def test_a_repeated_review_gets_its_first_answer(world: Harness) -> None:
    match_id = await cleared(world)
    first = await review(world, match_id, "escalated", **{"Idempotency-Key": "k"})
    await settle(world, match_id, "confirmed", by="bo")
    again = await review(world, match_id, "escalated", **{"Idempotency-Key": "k"})
    assert first.json() == again.json()
    assert [m["state"] for m in await matched(world)] == ["confirmed"]


async def test_of_many_reviews_a_refused_one_stops_no_other(world: Harness) -> None:
    match_id = await cleared(world)
    await settle(world, match_id, "confirmed", by="ada")
    await signal(world, entry("AEROCARIBBEAN AIRLINES SA"), new=True, id_="us_ofac_sdn:37")
    other = next(m["id"] for m in await matched(world) if m["id"] != match_id)
    body = {"outcome": "cleared", "reason_code": "same_name_only", "ids": [match_id, "mat_0", other]}
    answer = await world.client("analyst").post("/v1/match-reviews", json=body, headers={"Idempotency-Key": "k"})
    assert answer.json()["items"] == [
        {"id": match_id, "result": "refused", "error": "Who confirmed a match cannot clear it; somebody else must"},
        {"id": "mat_0", "result": "refused", "error": "Not found"},
        {"id": other, "result": "proposed", "state": "open"},
    ]
    again = await world.client("analyst").post("/v1/match-reviews", json=body, headers={"Idempotency-Key": "k"})
    assert again.json() == answer.json()


async def test_another_tenant_sees_nothing(world: Harness) -> None:
    match_id = await cleared(world)
    stranger = world.client("analyst", tenant="other")
    assert (await stranger.get(f"/v1/matches/{match_id}")).status_code == 404
    assert (
        await stranger.post(f"/v1/matches/{match_id}/review", json={"outcome": "cleared", "reason_code": "different_name"})
    ).status_code == 404
    assert (await stranger.get("/v1/matches")).json()["items"] == []


async def test_a_name_asked_for_is_found_whatever_kind_of_party_bears_it(world: Harness) -> None:
    world.app.include_router(ad_hoc(world.ctx.own))
    await signal(world, entry("BOUT, Viktor Anatolijevitch", schema="person"), new=True)
    await signal(world, entry("AEROCARIBBEAN STAR", schema="vessel"), new=True, id_="us_ofac_sdn:37")

    async def best(**body: Any) -> tuple[str, float]:
        answer = await world.client("analyst").post("/v1/screenings", json=body)
        assert answer.status_code == 200, answer.text
        (found,) = answer.json()["candidates"]
        return found["signal"]["uid"], found["score"]

    for name in ("Viktor Bout", "Aerocaribbean Star"):
        uid, score = await best(name=name)
        assert score > (await best(name=name, kind="organisation"))[1]
    assert uid == "36"
    assert score > STRONG
    assert (await matched(world)) == []


async def test_a_cleared_exposure_hides_no_further_good(world: Harness) -> None:
    source = Source(kind="finding", finding_id="fnd_1", indicators=("debt_bondage",))
    told = Signal(subject=ExposureSignal(hs="5201", origin="TM"), source=source, digest="d")
    await world.publish("signals", SignalPublished(signal=told), subject="fnd_1", kind="finding")
    first, second, other = (SourcedGood(hs=hs, origin="TM") for hs in ("520100", "520111", "0101"))
    await supplier(world, profile(goods=(first,)), new=True)
    (match,) = await matched(world)
    await review(world, match["id"], "cleared")
    for goods, state in (((first, other), "cleared"), ((first, second), "open"), ((first,), "cleared")):
        await supplier(world, profile(goods=goods))
        assert [m["state"] for m in await matched(world)] == [state]


async def release(h: Harness, id_: str, told: Signal) -> dict[str, Any]:
    """A release of one entry, and what the tenants see of its sweep."""
    sweep, at = sweep_id(id_), h.clock.now()
    told = msgspec.structs.replace(told, source=msgspec.structs.replace(told.source, release_id=id_))
    begins = ReleaseAccepted(list="us_ofac_sdn", sweep_id=sweep, entries=1, added=1, modified=0, deleted=0, accepted_at=at)
    ends = ReleasePublished(list="us_ofac_sdn", sweep_id=sweep, signals=1)
    for payload, subject, kind in ((begins, id_, "release"), (SignalChanged(signal=told), ENTRY, "entry"), (ends, id_, "release")):
        await h.publish("signals", payload, subject=subject, tenant="public", kind=kind)
    await h.step()
    answers = {tenant: await h.client("analyst", tenant=tenant).get(f"/v1/sweeps/{sweep}") for tenant in ("default", "other")}
    return {tenant: answer.json() for tenant, answer in answers.items()}


async def test_a_sweep_that_screening_has_not_heard_of_yet_is_waited_for(world: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    """On servers a release says that it is accepted before that is on the bus."""
    asking = asyncio.create_task(world.client("analyst").get(f"/v1/sweeps/{sweep_id('rel_1')}"))
    await asyncio.sleep(0.3)
    assert not asking.done()
    await release(world, "rel_1", entry())
    assert (await asking).json()["state"] in ("running", "complete")
    monkeypatch.setattr("services.screening.api._TOLD_S", 0.1)
    assert (await world.client("analyst").get(f"/v1/sweeps/{sweep_id('rel_2')}")).status_code == 404


async def test_a_sweep_counts_each_tenants_own_and_is_forgotten_when_it_is_counted(world: Harness) -> None:
    for n, tenant in enumerate(("default", "default", "other")):
        told = SupplierRegistered(profile=profile("Quiet Bakery" if n == 1 else "Aerocaribbean Airlines"))
        await world.publish("suppliers", told, subject=f"sup_{n}", tenant=tenant, kind="supplier")
    await world.step()
    for id_, told in (("rel_1", entry()), ("rel_2", entry("AEROCARIBBEAN AIRLINES SA")), ("rel_3", entry("ZEBRA"))):
        seen = await release(world, id_, told)
        hits = 0 if id_ == "rel_3" else 1
        for tenant, suppliers in (("default", 2), ("other", 1)):
            sweep = seen[tenant]
            assert (sweep["state"], sweep["partitions_done"], sweep["suppliers"], sweep["signals"]) == ("complete", 4, suppliers, 1)
            assert sweep["hits"] == hits
        assert {sweep for sweep, _ in world.ctx.own._hits} <= {sweep_id(id_)}
