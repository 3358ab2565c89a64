"""What is known beside names, through the running service: numbers, addresses and dates of birth of suppliers, their owners and listed parties."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from services.onboarding.service import SERVICE as ONBOARDING
from services.screening.api import ad_hoc
from services.screening.service import SERVICE
from shared.events.matches import MatchChanged, MatchOpened
from shared.events.signals import PartySignal, Signal, SignalAddress, SignalIdentifier, SignalName, SignalPublished, Source
from tests.services.harness import Harness, harness

LEI = "529900T8BM49AURSDO55"
ENTRY = "us_ofac_sdn:36"
PERSON = {"schema": "person", "birth_dates": ("1955-01-15",)}


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE, ONBOARDING) as h:
        yield h


async def listed(h: Harness, name: str, *, programs: tuple[str, ...] = ("CUBA",), **subject: Any) -> None:
    about = PartySignal(names=(SignalName(name=name, kind="primary"),), **{"countries": ("CU",), **subject})
    source = Source(kind="list_entry", list="us_ofac_sdn", uid="36", release_id="rel_1", programs=programs)
    told = Signal(subject=about, source=source, digest=str(hash((about, source))))
    await h.publish("signals", SignalPublished(signal=told), subject=ENTRY, tenant="public", kind="entry")
    await h.step()


async def registered(h: Harness, **parts: Any) -> str:
    body = {"name": "Quiet Meadow Dairy", "country": "DE", **parts}
    answer = await h.client("buyer").post("/v1/suppliers", json=body)
    assert answer.status_code == 201, answer.text
    await h.step()
    return str(answer.json()["id"])


async def changed(h: Harness, supplier_id: str, **parts: Any) -> None:
    assert (await h.client("buyer").patch(f"/v1/suppliers/{supplier_id}", json=parts)).status_code == 200
    await h.step()


async def matches(h: Harness) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await h.client("analyst").get("/v1/matches")).json()["items"]
    return found


def kinds(match: dict[str, Any]) -> set[str]:
    return {why["kind"] for why in match["why"]}


@pytest.mark.parametrize("entry_first", [True, False])
async def test_a_supplier_of_another_name_with_the_same_lei_is_found_whichever_comes_first(world: Harness, entry_first: bool) -> None:
    entry = {"identifiers": (SignalIdentifier(kind="Legal Entity Number", value=LEI),)}
    number = [{"kind": "lei", "value": LEI}]
    if entry_first:
        await listed(world, "AEROCARIBBEAN AIRLINES", **entry)
        await registered(world, identifiers=number)
    else:
        await registered(world, identifiers=number)
        await listed(world, "AEROCARIBBEAN AIRLINES", **entry)
    (match,) = await matches(world)
    assert (match["strength"], match["party_name"], match["signal"]["name"]) == ("strong", "Quiet Meadow Dairy", "AEROCARIBBEAN AIRLINES")
    assert {"kind": "identifier", "asked": f"lei {LEI}", "found": f"lei {LEI}"}.items() <= next(
        why for why in match["why"] if why["kind"] == "identifier"
    ).items()
    await listed(world, "AEROCARIBBEAN AIRLINES")
    assert [m["state"] for m in await matches(world)] == ["withdrawn"]


@pytest.mark.parametrize("entry_first", [True, False])
@pytest.mark.parametrize(("born", "strength"), [("1955-01-15", "strong"), ("1971", None), (None, "weak")])
async def test_an_owner_is_told_from_a_namesake_by_the_date_of_birth(
    world: Harness, entry_first: bool, born: str | None, strength: str
) -> None:
    owner = {"name": "Viktor Quarzum", "kind": "person"} | ({"birth_date": born} if born else {})
    for entry in (entry_first, not entry_first):
        if entry:
            await listed(world, "QUARZUM, Viktor Anatolijevitch", **PERSON)
        else:
            await registered(world, owners=[owner])
    found = await matches(world)
    assert [(m["party"], m["strength"]) for m in found] == ([("owner", strength)] if strength else [])
    assert all(("birth_date" in kinds(m)) == (born is not None) for m in found)


async def test_a_date_of_birth_that_becomes_known_takes_the_match_away(world: Harness) -> None:
    await listed(world, "QUARZUM, Viktor Anatolijevitch", **PERSON)
    supplier = await registered(world, owners=[{"name": "Viktor Quarzum", "kind": "person"}])
    await changed(world, supplier, owners=[{"name": "Viktor Quarzum", "kind": "person", "birth_date": "1971-03"}])
    assert [m["state"] for m in await matches(world)] == ["withdrawn"]


async def test_another_tax_number_asks_for_a_look_and_an_equal_one_decides(world: Harness) -> None:
    await listed(
        world, "QUIET MEADOW DAIRY", countries=("RU",), identifiers=(SignalIdentifier(kind="Tax ID No.", value="7707083893", country="RU"),)
    )
    supplier = await registered(world, country="RU", identifiers=[{"kind": "tax", "value": "7728168971", "country": "RU"}])
    (match,) = await matches(world)
    assert match["strength"] == "weak"
    assert "identifier_conflict" in kinds(match)
    await changed(world, supplier, identifiers=[{"kind": "tax", "value": "7707083893", "country": "RU"}])
    (match,) = await matches(world)
    assert match["strength"] == "strong"
    assert "identifier" in kinds(match)


async def test_the_same_name_alone_is_said_to_be_all(world: Harness) -> None:
    await listed(world, "QUIET MEADOW DAIRY")
    await registered(world)
    (match,) = await matches(world)
    assert match["strength"] == "strong"
    assert {"name_only", "country_differs"} <= kinds(match)


async def test_a_cleared_pair_is_opened_again_when_a_number_agrees_and_not_when_one_contradicts(world: Harness) -> None:
    number = {"kind": "tax", "value": "7707083893", "country": "RU"}
    other = {"kind": "tax", "value": "7728168971", "country": "RU"}
    entry = {"countries": ("RU",), "identifiers": (SignalIdentifier(kind="Tax ID No.", value="7707083893", country="RU"),)}
    await listed(world, "QUIET MEADOW DAIRY", programs=("X",), **entry)
    supplier = await registered(world, country="RU")
    (match,) = await matches(world)
    body = {"outcome": "cleared", "reason_code": "different_identifier", "note": "asked them"}
    assert (await world.client("analyst", subject="ada").post(f"/v1/matches/{match['id']}/review", json=body)).status_code == 200
    agreed = await world.client("analyst", subject="zoe").post(
        f"/v1/matches/{match['id']}/approval", json={"outcome": "approved", "reason": "so do I"}
    )
    assert agreed.json()["state"] == "cleared"
    for identifiers, state in (([other], "cleared"), ([number], "open")):
        await changed(world, supplier, identifiers=identifiers)
        assert [m["state"] for m in await matches(world)] == [state]


async def test_an_address_in_the_same_town_is_told_and_the_match_keeps_still(world: Harness) -> None:
    place = SignalAddress(text="Calle 23 No. 64", city="Holguin", country="CU")
    await listed(world, "QUIET MEADOW DAIRY PRODUCTS SA", addresses=(place,))
    await registered(world, country="CU", addresses=[{"text": "Calle 23 No 64, Vedado", "city": "Holguin", "country": "CU"}])
    (match,) = await matches(world)
    assert "address" in kinds(match)
    await listed(world, "QUIET MEADOW DAIRY PRODUCTS SA", addresses=(place,), programs=("CUBA", "SDGT"))
    told = [t for t in await world.told("matches") if isinstance(t, MatchOpened | MatchChanged)]
    assert len({(t.match.score, t.match.strength) for t in told}) == 1


async def test_who_asks_for_a_name_may_say_what_else_is_known(world: Harness) -> None:
    world.app.include_router(ad_hoc(world.ctx.own))
    await listed(
        world,
        "QUARZUM, Viktor Anatolijevitch",
        identifiers=(SignalIdentifier(kind="Tax ID No.", value="500100732259", country="RU"),),
        **PERSON,
    )

    async def asked(name: str, **body: Any) -> list[str]:
        answer = await world.client("analyst").post("/v1/screenings", json={"name": name, **body})
        assert answer.status_code == 200, answer.text
        return [found["strength"] for found in answer.json()["candidates"]]

    assert await asked("Viktor Quarzum", birth_date="1955-01-15") == ["strong"]
    assert await asked("Viktor Quarzum") == ["weak"]
    assert set(await asked("Viktor Quarzum", birth_date="1971")) <= {"none"}
    assert await asked("Lakeside Berry House", identifiers=[{"kind": "tax", "value": "5001 0073 2259", "country": "RU"}]) == ["strong"]
    wrong = await world.client("analyst").post("/v1/screenings", json={"name": "A", "identifiers": [{"kind": "lei", "value": "zzmark"}]})
    assert (wrong.status_code, "zzmark" in wrong.text) == (422, False)
