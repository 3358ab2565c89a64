"""What waits for people, from outside: the queue, two people, many at once, and reviews that follow a party to another id."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from services.screening import ranking
from services.screening.service import SERVICE
from shared.events.matches import MatchEvent, MatchReviewed
from shared.events.signals import (
    PartySignal,
    Signal,
    SignalChanged,
    SignalIdentifier,
    SignalName,
    SignalPublished,
    SignalWithdrawn,
    Source,
)
from shared.events.suppliers import OtherName, Profile, StatusCause, SupplierRegistered, SupplierStatusChanged
from shared.kernel.kernel import document
from tests.services.harness import Harness, harness

TAX = SignalIdentifier(kind="Tax ID No.", value="7701", country="RU")
NAMES = ["Zelmar Overseas Freight", "Voruntek Mining", "Brelvani Steel Works", "Oskandru Textile Combine"]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE) as h:
        yield h


def entry(name: str, uid: str = "36", list_: str = "us_ofac_sdn", **more: Any) -> Signal:
    subject = PartySignal(names=(SignalName(name=name, kind="primary"),), **more)
    return Signal(subject=subject, source=Source(kind="list_entry", list=list_, uid=uid, release_id="rel_1"), digest=f"{name} {more}")


async def listed(h: Harness, *signals: Signal) -> None:
    for told in signals:
        id_ = f"{told.source.list}:{told.source.uid}"
        await h.publish("signals", SignalPublished(signal=told), subject=id_, tenant="public", kind="entry")
    await h.step()


async def supplied(h: Harness, *names: str) -> None:
    for n, name in enumerate(names):
        profile = Profile(name=name, country="DE")
        await h.publish("suppliers", SupplierRegistered(profile=profile), subject=f"sup_{n}", kind="supplier")
    await h.step()


async def asked(h: Harness, **params: Any) -> Any:
    answer = await h.client("analyst").get("/v1/matches", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def the_match(h: Harness, supplier: str = "sup_0", **params: Any) -> Any:
    (found,) = (await asked(h, supplier_id=supplier, **params))["items"]
    return found


async def post(h: Harness, path: str, by: str = "ada", key: str = "", **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return await h.client("analyst", subject=by).post(path, json=body, headers=headers)


async def settled(h: Harness, match_id: str, outcome: str = "cleared") -> None:
    """By two people."""
    reason = "different_name" if outcome == "cleared" else "same_party"
    for by in ("ada", "bo"):
        answer = await post(h, f"/v1/matches/{match_id}/review", by, outcome=outcome, reason_code=reason, note="a dairy")
    assert answer.json()["state"] == outcome


async def test_the_queue_has_the_most_urgent_first_page_by_page(world: Harness) -> None:
    lists = ["us_ofac_sdn", "us_ofac_cons", "us_ofac_sdn", "us_ofac_cons"]
    await listed(world, *(entry(name, str(n), lists[n]) for n, name in enumerate(NAMES)))
    await supplied(world, NAMES[0], NAMES[1], "Brelvani Steel Wurks", "Oskandru Textile Combine Trading")
    whole = await asked(world, order="queue")
    assert [m["supplier_id"] for m in whole["items"]] == ["sup_0", "sup_2", "sup_1", "sup_3"]
    assert [m["consequence"] for m in whole["items"]] == ["prohibiting", "prohibiting", "conditioning", "conditioning"]
    priorities = [m["priority"] for m in whole["items"]]
    assert priorities == sorted(priorities, reverse=True)
    paged, cursor = [], None
    while True:
        page = await asked(world, order="queue", state="open", limit=1, **({"cursor": cursor} if cursor else {}))
        paged += page["items"]
        if not (cursor := page["next"]):
            break
    assert paged == whole["items"]
    assert (await world.client("analyst", tenant="other").get("/v1/matches", params={"order": "queue"})).json()["items"] == []


@pytest.mark.parametrize(
    "params", [{"order": "queue", "supplier_id": "sup_0"}, {"order": "queue", "state": "cleared"}, {"proposed": "true"},
               {"order": "queue", "state": "open", "proposed": "true"}],
)  # fmt: skip
async def test_a_queue_of_anything_else_is_refused(world: Harness, params: dict[str, str]) -> None:
    assert (await world.client("analyst").get("/v1/matches", params=params)).status_code == 422


async def test_from_whom_nothing_is_bought_comes_later(world: Harness) -> None:
    await listed(world, *(entry(name, str(n)) for n, name in enumerate(NAMES[:2])))
    await supplied(world, *NAMES[:2])
    first, second = [m["supplier_id"] for m in (await asked(world, order="queue"))["items"]]
    profile = Profile(name=NAMES[int(first[-1])], country="DE")
    cause = StatusCause(id="cmd", type="command.deactivate", reason="closed")
    told = SupplierStatusChanged(profile=profile, status="inactive", cause=cause)
    await world.publish("suppliers", told, subject=first, kind="supplier")
    await world.step()
    assert [m["supplier_id"] for m in (await asked(world, order="queue"))["items"]] == [second, first]


async def test_two_people_settle_what_forbids_dealings_and_both_stand_in_the_history(world: Harness) -> None:
    await listed(world, entry(NAMES[0]))
    await supplied(world, NAMES[0])
    id_ = (await the_match(world))["id"]
    said = await post(world, f"/v1/matches/{id_}/review", outcome="confirmed", reason_code="same_party", note="the same seat")
    assert (said.status_code, said.json()["state"]) == (200, "open")
    assert [said.json()["proposal"][name] for name in ("outcome", "by", "note")] == ["confirmed", "ada", "the same seat"]
    assert not [t for t in await world.told("matches") if isinstance(t, MatchReviewed)], "nothing is told to others until somebody agrees"
    assert (await asked(world, order="queue"))["items"] == []
    assert [m["id"] for m in (await asked(world, order="queue", proposed="true"))["items"]] == [id_]

    path = f"/v1/matches/{id_}/approval"
    assert (await post(world, path, "ada", outcome="approved", reason="so it is")).status_code == 403
    assert (await world.client("buyer", subject="bo").post(path, json={"outcome": "approved", "reason": "so it is"})).status_code == 403
    assert (await post(world, path, "bo", outcome="approved", reason=" ")).status_code == 422
    assert (await post(world, path, "bo", outcome="rejected", reason="not the same number")).json()["proposal"] is None
    assert (await post(world, path, "bo", outcome="approved", reason="so it is")).status_code == 409
    await post(world, f"/v1/matches/{id_}/review", outcome="confirmed")
    done = await post(world, path, "bo", "k", outcome="approved", reason="so it is")
    assert [done.json()[name] for name in ("state", "reviewed_by", "agreed_by")] == ["confirmed", "ada", "bo"]
    assert (await post(world, path, "bo", "k", outcome="approved", reason="so it is")).json() == done.json()

    history = (await world.client("analyst").get(f"/v1/matches/{id_}")).json()["history"]
    assert [(h["type"].split(".")[2], h["actor"], h["state"]) for h in history] == [
        ("opened", None, "open"), ("proposed", "ada", "open"), ("proposal_decided", "bo", "open"), ("proposed", "ada", "open"),
        ("proposal_decided", "bo", "open"), ("reviewed", "bo", "confirmed"),
    ]  # fmt: skip
    assert [history[at]["note"] for at in (1, 2, 4)] == ["the same seat", "not the same number", "so it is"]
    assert [history[2]["approved"], history[4]["approved"], history[5]["agreed_by"]] == [False, True, "bo"]


async def test_many_are_cleared_with_one_reason_each_by_itself(world: Harness) -> None:
    await listed(world, *(entry(name, str(n)) for n, name in enumerate(NAMES)))
    await supplied(world, NAMES[0], "Voruntek Myning", "Brelvani Steel Wurks")
    strong, weak, confirmed = [(await the_match(world, f"sup_{n}"))["id"] for n in range(3)]
    await settled(world, confirmed, "confirmed")
    body = {"outcome": "cleared", "reason_code": "same_name_only", "ids": [strong, weak, confirmed, "mat_0", strong]}
    answer = await post(world, "/v1/match-reviews", key="k", **body)
    assert answer.json()["items"] == [
        {"id": strong, "result": "proposed", "state": "open"},
        {"id": weak, "result": "cleared", "state": "cleared"},
        {"id": confirmed, "result": "refused", "error": "Who confirmed a match cannot clear it; somebody else must"},
        {"id": "mat_0", "result": "refused", "error": "Not found"},
    ]
    versions = [(await the_match(world, f"sup_{n}"))["version"] for n in range(3)]
    assert (await post(world, "/v1/match-reviews", key="k", **body)).json() == answer.json()
    assert [(await the_match(world, f"sup_{n}"))["version"] for n in range(3)] == versions
    assert (await post(world, "/v1/match-reviews", key="k", **{**body, "ids": [weak]})).json()["items"][0]["result"] == "refused"
    metas = []
    for id_ in (strong, weak):
        row = (await world.ctx.store.history("match", "default", id_))[-1]
        metas.append(msgspec.json.decode(row.meta))
    assert metas[0]["causationid"] == metas[1]["causationid"]
    assert metas[0]["id"] != metas[1]["id"]
    second = await post(world, "/v1/match-reviews", "bo", **body)
    assert [one["result"] for one in second.json()["items"]] == ["cleared", "cleared", "proposed", "refused"]


@pytest.mark.parametrize("body", [{}, {"reason_code": "same_party"}, {"reason_code": "other"}, {"reason_code": "other", "note": "  "}])
async def test_who_clears_says_why(world: Harness, body: dict[str, str]) -> None:
    await listed(world, entry(NAMES[0]))
    await supplied(world, NAMES[0])
    id_ = (await the_match(world))["id"]
    assert (await post(world, f"/v1/matches/{id_}/review", outcome="cleared", **body)).status_code == 422
    assert (await post(world, "/v1/match-reviews", outcome="cleared", ids=[id_], **body)).status_code == 422
    assert (await post(world, f"/v1/matches/{id_}/review", outcome="escalated")).json()["reason_code"] == "insufficient_information"


async def renumbered(h: Harness, old: Signal, new: Signal, *, formerly: bool = True) -> None:
    """A release in which an entry stands under another id; as intelligence tells of it."""
    old_id = f"us_ofac_sdn:{old.source.uid}"
    told = msgspec.structs.replace(new, formerly=(old_id,) if formerly else ())
    payloads = ((SignalPublished(signal=told), f"us_ofac_sdn:{new.source.uid}"), (SignalWithdrawn(signal=old, release_id="rel_2"), old_id))
    for payload, subject in payloads:
        await h.publish("signals", payload, subject=subject, tenant="public", kind="entry")
    await h.step()


@pytest.mark.parametrize("outcome", ["cleared", "confirmed"])
async def test_a_review_follows_the_party_to_its_new_id(world: Harness, outcome: str) -> None:
    old = entry(NAMES[0], "36", identifiers=(TAX,))
    await listed(world, old)
    await supplied(world, NAMES[0])
    await settled(world, (await the_match(world))["id"], outcome)
    before = len(await world.told("matches"))
    await renumbered(world, old, entry(NAMES[0], "77", identifiers=(TAX,)))
    carried = await the_match(world, signal_id="us_ofac_sdn:77")
    assert [carried[name] for name in ("state", "reviewed_by", "agreed_by", "note", "carried_from")] == [
        outcome, "ada", "bo", "a dairy", "us_ofac_sdn:36",
    ]  # fmt: skip
    told = [t.match for t in (await world.told("matches"))[before:] if isinstance(t, MatchEvent)]
    assert [(m.signal.id, m.state, m.carried_from) for m in told] == [
        ("us_ofac_sdn:77", outcome, "us_ofac_sdn:36"), ("us_ofac_sdn:36", "withdrawn", ""),
    ]  # fmt: skip
    history = (await world.client("analyst").get(f"/v1/matches/{carried['id']}")).json()["history"]
    assert history[0]["carried_from"] == "us_ofac_sdn:36"
    await renumbered(world, entry(NAMES[0], "77", identifiers=(TAX,)), entry(NAMES[0], "78", identifiers=(TAX,)))
    assert (await the_match(world, signal_id="us_ofac_sdn:78"))["state"] == outcome


async def test_nothing_follows_where_the_list_does_not_say_that_it_is_the_same_or_where_it_is_another(world: Harness) -> None:
    old = entry(NAMES[0], "36", identifiers=(TAX,))
    await listed(world, old)
    await supplied(world, NAMES[0])
    await settled(world, (await the_match(world))["id"])
    await renumbered(world, old, entry(NAMES[0], "77"), formerly=False)
    assert (await the_match(world, signal_id="us_ofac_sdn:77"))["state"] == "open"
    await renumbered(world, old, entry(NAMES[0], "78", identifiers=(TAX,), countries=("DE",)))
    assert (await the_match(world, signal_id="us_ofac_sdn:78"))["state"] == "open", "an address in our country makes it likelier"


async def test_a_supplier_that_matches_later_finds_the_review_under_the_former_id(world: Harness) -> None:
    old, new = entry(NAMES[0], "36", identifiers=(TAX,)), entry(NAMES[0], "77", identifiers=(TAX,))
    await listed(world, old)
    await supplied(world, NAMES[0])
    await settled(world, (await the_match(world))["id"])
    await supplied(world, "Quiet Meadow Dairy")
    await renumbered(world, old, new)
    assert [m["state"] for m in (await asked(world, supplier_id="sup_0"))["items"]] == ["withdrawn"]
    await supplied(world, NAMES[0])
    assert (await the_match(world, signal_id="us_ofac_sdn:77"))["state"] == "cleared"


async def test_a_cleared_pair_stays_cleared_whichever_side_finds_it_by_whichever_name(tmp_path: Path) -> None:
    """Over a restart, too. Of two names that are as alike both sides tell the same one, whatever their order."""
    alike = ("Zelmar Freight", "Zulkor Freight")
    profile = Profile(name=alike[0], country="DE", other_names=(OtherName(name=alike[1], kind="trade"),))
    told = entry(alike[1])
    told = msgspec.structs.replace(told, subject=PartySignal(names=tuple(SignalName(name=name) for name in reversed(alike))))
    async with harness(tmp_path, SERVICE) as h:
        await h.publish("suppliers", SupplierRegistered(profile=profile), subject="sup_0", kind="supplier")
        await listed(h, told)
        await settled(h, (await the_match(h))["id"])
    async with harness(tmp_path, SERVICE) as h:
        seen = set()
        for back in (False, True, False):
            if back:
                await h.publish("signals", SignalWithdrawn(signal=told), subject="us_ofac_sdn:36", tenant="public", kind="entry")
                await listed(h, told)
            for payload, topic, subject, tenant in (
                (SupplierRegistered(profile=profile), "suppliers", "sup_0", "default"),
                (SignalChanged(signal=told), "signals", "us_ofac_sdn:36", "public"),
            ):
                await h.publish(topic, payload, subject=subject, tenant=tenant, kind="supplier" if topic == "suppliers" else "entry")
                await h.step()
                found = await the_match(h)
                seen.add(found["party_name"])
                assert (found["state"], found["reviewed_by"]) == ("cleared", "ada")
        assert seen == {alike[0]}


async def test_matches_of_a_version_without_a_queue_are_given_their_place_at_the_start(world: Harness) -> None:
    await listed(world, *(entry(name, str(n)) for n, name in enumerate(NAMES)))
    await supplied(world, *NAMES[:3])
    await settled(world, (await the_match(world, "sup_2"))["id"])
    await world.ctx.store._writer.run(  # type: ignore[attr-defined]  # as a version that knew nothing of it left them
        lambda db: db.execute("UPDATE doc_match SET f_rank = NULL, state = json_remove(CAST(state AS TEXT), '$.rank')") and None
    )
    assert (await asked(world, order="queue"))["items"] == []
    assert await ranking.rank_anew(world.ctx) == 2
    assert {m["supplier_id"] for m in (await asked(world, order="queue"))["items"]} == {"sup_0", "sup_1"}
    assert await ranking.rank_anew(world.ctx) == 0
    async for stored in world.ctx.store.documents("match"):
        state = document(SERVICE.aggregates[0], stored).state
        assert state.rank == state.ranked()
