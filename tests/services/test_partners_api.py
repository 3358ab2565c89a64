"""Subscriptions and the feed over HTTP: who may, what is refused, secrets shown once, cursors without gaps."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from services.partners import reactions as partner_reactions
from services.partners.feed import Place, read
from services.partners.model import FEED, Append
from services.partners.service import SERVICE
from services.runtime.node import Node
from shared.events.ratings import CauseRef, ExposurePropagated, Obligation, RatingChanged, Tier
from shared.events.suppliers import ExternalRef
from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.kernel import Kernel
from shared.settings import Settings
from tests.services.harness import Harness, harness

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE, egress_allow="127.0.0.0/8") as started:
        yield started


@pytest.fixture
def partner(h: Harness) -> httpx.AsyncClient:
    return h.client("partner", subject="pat")


def changed(supplier_id: str, tier: Tier = "prohibited", country: str = "CN", previous: Tier | None = "low") -> RatingChanged:
    return RatingChanged(
        supplier_id=supplier_id, external_refs=(ExternalRef(system="S4", number="1"),), country=country, tier=tier,
        previous_tier=previous, cause=CauseRef(id="evt_x", type="duewatch.match.opened.v1"), policy_version="1",
        obligations=(Obligation(code="audit", text="an unannounced audit", kind="audit", due_days=10),),
    )  # fmt: skip


async def rate(h: Harness, supplier_id: str, tenant: str = "default", **fields: Any) -> str:
    told = changed(supplier_id, **fields)
    return await h.publish("ratings", told, subject=supplier_id, tenant=tenant, kind="assessment", partitionkey=supplier_id)


async def subscribed(partner: httpx.AsyncClient, headers: dict[str, str] | None = None, **body: Any) -> dict[str, Any]:
    answer = await partner.post("/v1/subscriptions", json={"url": URL, **body}, headers=headers)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def whole_feed(client: httpx.AsyncClient, limit: int = 500, after: str = "") -> tuple[list[dict[str, Any]], str]:
    events: list[dict[str, Any]] = []
    while True:
        answer = await client.get("/v1/risk-changes", params={"limit": limit, **({"after": after} if after else {})})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        if not page["items"]:
            assert page["next"]
            return events, page["next"]
        assert page["next"] != after
        events, after = events + page["items"], page["next"]


async def test_a_subscription_shows_its_secret_once(h: Harness, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, filters={"tiers": ["high"], "kinds": ["list_entry"], "countries": ["cn"], "supplier_ids": ["sup_1"]})
    assert made["secret"].startswith("whsec_")
    assert made["filters"] == {"tiers": ["high"], "kinds": ["list_entry"], "countries": ["CN"], "supplier_ids": ["sup_1"]}
    answer = await partner.get(f"/v1/subscriptions/{made['id']}")
    assert answer.headers["ETag"] == '"1"'
    assert answer.json() == {k: v for k, v in made.items() if k != "secret"}
    assert (await partner.get("/v1/subscriptions")).json() == {"items": [answer.json()], "next": None}


async def test_a_repeated_request_gives_the_first_answer_and_nothing_readable_lies_on_disk(h: Harness, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, {"Idempotency-Key": "one"})
    assert await subscribed(partner, {"Idempotency-Key": "one"}) == made
    path, key = f"/v1/subscriptions/{made['id']}/secret", {"Idempotency-Key": "two"}
    rotated = (await partner.post(path, headers=key)).json()
    assert rotated["secret"] != made["secret"]
    assert (await partner.post(path, headers=key)).json() == rotated
    assert await subscribed(partner, {"Idempotency-Key": "one"}) == made
    other = await partner.post("/v1/subscriptions", json={"url": URL + "2"}, headers={"Idempotency-Key": "one"})
    assert other.status_code == 409
    secrets = [made["secret"].removeprefix("whsec_"), rotated["secret"].removeprefix("whsec_")]
    forms = [form for s in secrets for form in (s.encode(), base64.b64decode(s), base64.b64encode(s.encode()))]
    files = [p.read_bytes() for p in h.folder.rglob("*") if p.is_file()]
    assert not any(form in content for form in forms for content in files)


@pytest.mark.parametrize(
    "url",
    ["http://169.254.169.254/latest", "http://10.0.0.1/", "https://localhost/", "http://example.com@127.0.0.1/", "ftp://127.0.0.1/",
     "http://[::ffff:10.0.0.1]/", "http://2130706433/", "https://", ""],
)  # fmt: skip
async def test_an_address_that_may_not_be_called_is_refused(partner: httpx.AsyncClient, url: str) -> None:
    answer = await partner.post("/v1/subscriptions", json={"url": url, "filters": {}})
    assert answer.status_code == 422
    assert not url or url not in answer.text
    made = await subscribed(partner)
    assert (await partner.patch(f"/v1/subscriptions/{made['id']}", json={"url": url})).status_code == 422


@pytest.mark.parametrize(
    "body",
    [{}, {"url": URL, "secret": "mine"}, {"url": URL, "filters": {"tiers": ["worst"]}}, {"url": URL, "filters": {"kind": []}},
     {"url": URL, "filters": {"countries": ["XX"]}}, {"url": URL, "filters": {"supplier_ids": ["a b"]}}, {"url": 1}, []],
)  # fmt: skip
async def test_wrong_bodies_are_refused(partner: httpx.AsyncClient, body: Any) -> None:
    assert (await partner.post("/v1/subscriptions", json=body)).status_code == 422


async def test_a_subscription_is_changed_and_deleted(partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner)
    path = f"/v1/subscriptions/{made['id']}"
    answer = await partner.patch(path, json={"state": "disabled", "filters": {"tiers": ["low"]}}, headers={"If-Match": '"1"'})
    assert (answer.json()["state"], answer.json()["reason"], answer.headers["ETag"]) == ("disabled", "asked", '"2"')
    assert (await partner.patch(path, json={"state": "enabled"}, headers={"If-Match": '"1"'})).status_code == 412
    assert (await partner.post(path + "/test")).status_code == 409
    assert (await partner.post(path + "/replay", json={})).status_code == 409
    assert (await partner.delete(path)).status_code == 204
    for answer in (
        await partner.get(path),
        await partner.delete(path),
        await partner.patch(path, json={"state": "enabled"}),
        await partner.post(path + "/secret"),
        await partner.post(path + "/test"),
        await partner.get(path + "/deliveries"),
    ):
        assert answer.status_code == 404
    assert (await partner.get("/v1/subscriptions")).json()["items"] == []


async def test_roles_and_tenants_are_apart(h: Harness, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner)
    path = f"/v1/subscriptions/{made['id']}"
    assert (await h.client("admin").get(path)).status_code == 200
    assert (await h.client("buyer").get(path)).status_code == 403
    assert (await h.client("admin").get("/v1/risk-changes")).status_code == 403
    stranger = h.client("partner", tenant="other")
    for answer in (
        await stranger.get(path),
        await stranger.patch(path, json={"state": "disabled"}),
        await stranger.delete(path),
        await stranger.post(path + "/secret"),
        await stranger.get(path + "/deliveries"),
    ):
        assert answer.status_code == 404
    assert (await stranger.get("/v1/subscriptions")).json()["items"] == []
    await rate(h, "sup_1")
    await h.step()
    assert (await stranger.get("/v1/risk-changes")).json()["items"] == []
    assert len((await whole_feed(partner))[0]) == 1


async def test_the_feed_tells_each_change_once_and_its_cursor_stays_good(h: Harness, partner: httpx.AsyncClient) -> None:
    nothing, beginning = await whole_feed(partner)
    assert nothing == []
    first = [await rate(h, f"sup_{n}") for n in range(7)]
    await h.publish("ratings", ExposurePropagated(supplier_id="sup_1", prohibited=True), subject="sup_1", kind="assessment")
    await h.step()
    events, cursor = await whole_feed(partner, limit=3)
    assert sorted(e["id"] for e in events) == sorted(first)
    second = [await rate(h, f"sup_{n}", tier="low", previous="prohibited") for n in range(3)]
    await h.step()
    later, _ = await whole_feed(partner, after=cursor)
    assert sorted(e["id"] for e in later) == sorted(second)
    assert (await whole_feed(partner, after=beginning))[0] == events + later


async def test_an_item_is_the_original_event_without_what_is_internal(h: Harness, partner: httpx.AsyncClient) -> None:
    event_id = await rate(h, "sup_1")
    await h.step()
    (event,) = (await whole_feed(partner))[0]
    assert (event["id"], event["type"], event["subject"]) == (event_id, "duewatch.rating.changed.v1", "sup_1")
    assert event["specversion"] == "1.0"
    assert event["data"]["external_refs"] == [{"system": "S4", "number": "1"}]
    assert (event["data"]["tier"], event["data"]["previous_tier"]) == ("prohibited", "low")
    assert event["data"]["cause"] == {"id": "evt_x", "type": "duewatch.match.opened.v1"}
    assert "unannounced" not in json.dumps(event)


@pytest.mark.parametrize(
    "cursor", ["x", "WzEsMF0", "WzAsMF0", "Wy0xLDBd", "WzEsIngiXQ", base64.urlsafe_b64encode(b"[99,0]").decode().rstrip("=")]
)
async def test_forged_cursors_are_refused(partner: httpx.AsyncClient, cursor: str) -> None:
    assert (await partner.get("/v1/risk-changes", params={"after": cursor})).status_code == 400
    made = await subscribed(partner)
    assert (await partner.post(f"/v1/subscriptions/{made['id']}/replay", json={"after": cursor})).status_code == 400


async def test_a_topic_read_again_from_its_beginning_adds_nothing(h: Harness, partner: httpx.AsyncClient) -> None:
    await subscribed(partner)
    for n in range(10):
        await rate(h, f"sup_{n % 4}", tier="high" if n < 5 else "low")
    await h.step()
    before, _ = await whole_feed(partner)
    count = await h.ctx.store.count("delivery", "default", {})
    for reactor in h.reactors:
        assert reactor.consumer is not None
        for place in reactor.consumer._positions:  # type: ignore[attr-defined]  # as a broker that lost its offsets
            reactor.consumer._positions[place] = 0  # type: ignore[attr-defined]
    assert await h.step()
    assert (await whole_feed(partner))[0] == before
    assert await h.ctx.store.count("delivery", "default", {}) == count == 10


async def test_watermarks_of_the_feed_do_not_grow_with_suppliers(h: Harness) -> None:
    for n in range(60):
        await rate(h, f"sup_{n}")
    await h.step()
    found = await h.ctx.kernel.get(FEED, "default", "default")
    assert found is not None
    assert found.state.count == 60
    assert len(found.marks) <= h.ctx.bus.partitions


async def test_a_reader_beside_two_writers_passes_nothing(h: Harness) -> None:
    other = Node(Settings.read({}, data=h.folder), [SERVICE], "other", clock=h.clock)  # another process on the same files
    wanted = {f"{writer}/{n}" for writer in range(2) for n in range(60)}

    async def write(kernel: Kernel, writer: int) -> None:
        for n in range(60):
            message = Message(Append(f'"{writer}/{n}"'.encode()), Cause(f"cause_{writer}_{n}", "test"))
            await kernel.execute(Item(FEED, "default", "default", message))

    writers = [asyncio.create_task(write(kernel, at)) for at, kernel in enumerate((h.ctx.kernel, other.contexts["partners"].kernel))]
    seen, at = list[str](), Place()
    while not all(writer.done() for writer in writers) or len(seen) < len(wanted):
        for place, event in await read(h.ctx.store, "default", at, 7):
            assert place == Place(at.version + 1, 0)
            seen, at = [*seen, msgspec.json.decode(event)], place
        await asyncio.sleep(0)
    await asyncio.gather(*writers)
    await other.close()
    assert set(seen) == wanted
    assert len(seen) == len(wanted)


async def test_nobody_is_left_out_where_two_subscribed_in_the_same_moment(
    h: Harness, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partner_reactions, "MAX_SUBSCRIPTIONS", 2)
    for _ in range(3):
        await subscribed(partner)
    await rate(h, "sup_1")
    await h.step()
    assert await h.ctx.store.count("delivery", "default", {}) == 3


async def test_content_that_no_filter_can_read_is_in_the_feed_all_the_same(h: Harness, partner: httpx.AsyncClient) -> None:
    await subscribed(partner)
    strange = msgspec.structs.replace(changed("sup_1"), tier="unheard_of")
    for reactor in h.reactors:
        object.__setattr__(reactor.reaction, "back_off_s", 0.0)
    await h.publish("ratings", strange, subject="sup_1", kind="assessment")
    good = await rate(h, "sup_2")
    await h.step()
    events, _ = await whole_feed(partner)
    assert {e["data"]["tier"] for e in events} == {"unheard_of", "prohibited"}
    (letter,) = await h.ctx.store.dead_letters()
    assert letter.group == "partners-deliveries"
    stored = await h.ctx.store.find("delivery", "default", {})
    assert [msgspec.json.decode(one.state)["event_id"] for one in stored] == [good]
