"""Entries that turn from a party to an exposure and back, and what an exposure tells of its interval, from outside of screening."""

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.screening.service import SERVICE
from shared.events.signals import ExposureSignal, PartySignal, Signal, SignalChanged, SignalName, SignalPublished, Source
from shared.events.suppliers import Profile, SourcedGood, SupplierChanged, SupplierRegistered
from tests.services.harness import Harness, harness

SUPPLIER = "sup_1"
PARTY = PartySignal(names=(SignalName(name="Blue Nile Garment Works", kind="primary"),), countries=("SD",))
REVOKED = ExposureSignal(good="Blue Nile Garment Works", origin="SD")
COTTON = ExposureSignal(
    hs="5201",
    more_hs=("61",),
    origin="SD",
    good="Cotton",
    abuses=("forced_labour",),
    valid_from=date(2020, 1, 1),
    valid_until=date(2030, 1, 1),
)
MILL = Profile(name="Blue Nile Garment Works", country="SD", goods=(SourcedGood(hs="610910", origin="SD"),))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as h:
        yield h


async def order(h: Harness, about: PartySignal | ExposureSignal, *, new: bool = False) -> None:
    source = Source(kind="list_entry", list="us_cbp_wro", uid="wro-1", programs=("WRO",))
    told = Signal(subject=about, source=source, digest=str(hash(about)))
    await h.publish(
        "signals", SignalPublished(signal=told) if new else SignalChanged(signal=told), subject="o", tenant="public", kind="entry"
    )
    await h.step()


async def supplier(h: Harness, told: Profile, *, new: bool = False) -> None:
    payload = SupplierRegistered(profile=told) if new else SupplierChanged(profile=told)
    await h.publish("suppliers", payload, subject=SUPPLIER, kind="supplier")
    await h.step()


async def standing(h: Harness) -> list[dict[str, Any]]:
    answer = await h.client("analyst").get("/v1/matches", params={"supplier_id": SUPPLIER})
    return [match for match in answer.json()["items"] if match["state"] != "withdrawn"]


async def test_a_revoked_order_leaves_its_party_and_touches_nobody_until_it_is_in_force_again(world: Harness) -> None:
    await supplier(world, MILL, new=True)
    await order(world, PARTY, new=True)
    assert [match["about"] for match in await standing(world)] == ["party"]
    await order(world, REVOKED)
    assert await standing(world) == []
    await supplier(world, msgspec.structs.replace(MILL, country="EG"))  # screened again: the name is on no side any more
    assert await standing(world) == []
    await order(world, COTTON)
    (match,) = await standing(world)
    assert match["about"] == "exposure"
    assert match["why"][0]["found"] == "61"
    assert {name: match["signal"][name] for name in ("abuses", "valid_from", "valid_until", "advancement", "programs")} == {
        "abuses": ["forced_labour"], "valid_from": "2020-01-01", "valid_until": "2030-01-01", "advancement": None, "programs": ["WRO"],
    }  # fmt: skip
    await order(world, PARTY)
    assert [match["about"] for match in await standing(world)] == ["party"]


async def test_a_new_last_day_changes_the_match_and_leaves_its_review(world: Harness) -> None:
    await supplier(world, MILL, new=True)
    await order(world, COTTON, new=True)
    (match,) = await standing(world)
    body = {"outcome": "cleared", "reason_code": "different_business", "note": "recycled"}
    assert (await world.client("analyst").post(f"/v1/matches/{match['id']}/review", json=body)).status_code == 200
    await order(world, msgspec.structs.replace(COTTON, valid_until=date(2031, 1, 1)))
    (match,) = await standing(world)
    assert (match["state"], match["signal"]["valid_until"]) == ("cleared", "2031-01-01")
    await order(world, msgspec.structs.replace(COTTON, abuses=("child_labour", "forced_labour")))
    assert [match["state"] for match in await standing(world)] == ["open"]
