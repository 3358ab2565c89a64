"""Webhooks to a real receiver: signatures, once each, retries, receivers that are slow, gone, or somewhere they must not be."""

import base64
import hashlib
import hmac
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from services.partners import sender
from services.partners.delivery import SCHEDULE
from services.partners.sender import Sender
from services.partners.service import SERVICE
from shared.security import egress
from shared.security.client import GuardedClient
from tests.services.harness import Harness, harness
from tests.services.partners_receiver import Receiver, receiving
from tests.services.test_partners_api import rate, subscribed, whole_feed


@pytest.fixture
async def h(tmp_path: Path) -> AsyncIterator[Harness]:
    async with harness(tmp_path, SERVICE, egress_allow="127.0.0.0/8") as started:
        yield started


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as listening:
        yield listening


@pytest.fixture
def partner(h: Harness) -> httpx.AsyncClient:
    return h.client("partner", subject="pat")


@pytest.fixture
async def out(h: Harness) -> AsyncIterator[Sender]:
    client = GuardedClient(h.ctx.networks)
    yield Sender(h.ctx, client)
    await client.close()


async def turn(out: Sender) -> None:
    """Sends all that is due now, and records it."""
    while await out.look():
        await out.settled()
        while await out.record():
            pass


async def deliveries(partner: httpx.AsyncClient, made: dict[str, Any], state: str = "") -> list[dict[str, Any]]:
    answer = await partner.get(f"/v1/subscriptions/{made['id']}/deliveries", params={"state": state} if state else {})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def rightly_signed(secret: str, headers: dict[str, str], body: bytes) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode() in headers["webhook-signature"].split(" ")


async def test_each_change_is_told_once_signed_and_as_the_feed_has_it(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient
) -> None:
    made = await subscribed(partner, url=receiver.url)
    for n in range(20):
        await rate(h, f"sup_{n}")
    await h.step()
    await turn(out)
    await turn(out)
    feed, _ = await whole_feed(partner)
    assert len(receiver.got) == 20
    assert sorted(receiver.events(), key=lambda e: str(e["id"])) == sorted(feed, key=lambda e: str(e["id"]))
    for _, headers, body in receiver.got:
        assert rightly_signed(made["secret"], headers, body)
        assert headers["content-type"] == "application/json"
        assert headers["webhook-id"] in body.decode()
    assert {d["state"] for d in await deliveries(partner, made)} == {"delivered"}
    (attempt,) = (await deliveries(partner, made, "delivered"))[0]["attempts"]
    assert (attempt["status"], attempt["error"]) == (204, None)


async def test_filters_choose(h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient) -> None:
    await subscribed(partner, url=receiver.url, filters={"tiers": ["high"], "countries": ["DE"]})
    await subscribed(h.client("partner", tenant="other"), url=receiver.url)
    await rate(h, "sup_1", tier="high", country="CN")
    wanted = await rate(h, "sup_2", tier="high", country="DE")
    await rate(h, "sup_3", tier="low", country="DE")
    await h.step()
    await turn(out)
    assert receiver.ids() == [wanted]


async def test_after_a_rotation_both_secrets_sign_for_a_day(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient
) -> None:
    made = await subscribed(partner, url=receiver.url)
    await rate(h, "sup_1")
    await h.step()
    await turn(out)
    rotated = (await partner.post(f"/v1/subscriptions/{made['id']}/secret")).json()
    for n in (2, 3):
        await rate(h, f"sup_{n}")
        await h.step()
        await turn(out)
        h.clock.advance(86_401)
    signed = [[rightly_signed(s["secret"], headers, body) for s in (made, rotated)] for _, headers, body in receiver.got]
    assert signed == [[True, False], [True, True], [False, True]]


async def test_failures_are_tried_again_by_the_schedule_until_it_is_dead(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient
) -> None:
    made = await subscribed(partner, url=receiver.url)
    event_id = await rate(h, "sup_1")
    await h.step()
    receiver.status = 500
    await turn(out)
    for n, seconds in enumerate(SCHEDULE, 1):
        h.clock.advance(seconds - 1)
        await turn(out)
        assert len(receiver.got) == n
        h.clock.advance(1 + seconds * 0.1)
        await turn(out)
        assert len(receiver.got) == n + 1
    partner = h.client("partner", subject="pat")  # the schedule outlives a token
    (dead,) = await deliveries(partner, made, "dead")
    assert (dead["reason"], dead["due_at"], len(dead["attempts"])) == ("schedule", None, 9)
    assert {headers["webhook-id"] for _, headers, _ in receiver.got} == {event_id}
    receiver.status = 200
    path = f"/v1/subscriptions/{made['id']}/deliveries/{dead['id']}"
    key = {"Idempotency-Key": "again"}
    again = await partner.post(path + "/redeliver", headers=key)
    assert again.status_code == 202
    assert (await partner.post(path + "/redeliver", headers=key)).json() == again.json()
    h.clock.advance(1)  # one that only failed is asked once a second
    await turn(out)
    assert (await partner.get(path)).json()["state"] == "delivered"
    assert (await partner.post(path + "/redeliver")).status_code == 409
    assert (await h.client("partner", tenant="other").get(path)).status_code == 404


@pytest.mark.parametrize("status", [429, 503])
async def test_a_receivers_pause_is_kept(h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient, status: int) -> None:
    await subscribed(partner, url=receiver.url)
    await rate(h, "sup_1")
    await h.step()
    receiver.status, receiver.headers = status, {"Retry-After": "100"}
    await turn(out)
    receiver.status = 204
    await rate(h, "sup_2")  # another one waits, too: the receiver asked for quiet
    await h.step()
    for _ in range(3):
        h.clock.advance(30)
        await out.look()
    assert len(receiver.got) == 1
    h.clock.advance(21)
    await turn(out)
    assert len(receiver.got) == 3


async def test_410_disables(h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, url=receiver.url)
    await rate(h, "sup_1")
    await h.step()
    receiver.status = 410
    await turn(out)
    now = (await partner.get(f"/v1/subscriptions/{made['id']}")).json()
    assert (now["state"], now["reason"]) == ("disabled", "gone")
    await rate(h, "sup_2")
    await h.step()
    h.clock.advance(60)
    await turn(out)
    assert len(receiver.got) == 1
    (dead,) = await deliveries(partner, made)
    assert (dead["state"], dead["reason"]) == ("dead", "disabled")


async def test_redirects_are_not_followed(h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, url=receiver.url)
    await rate(h, "sup_1")
    await h.step()
    receiver.status, receiver.headers = 307, {"Location": receiver.url.replace("/hook", "/elsewhere")}
    await turn(out)
    assert [path for path, _, _ in receiver.got] == ["/hook"]
    (waiting,) = await deliveries(partner, made, "waiting")
    assert waiting["attempts"][0]["status"] == 307


async def test_a_proxy_in_the_environment_is_not_asked(
    h: Harness, receiver: Receiver, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    made = await subscribed(partner, url=receiver.url)
    await rate(h, "sup_1")
    await h.step()
    client = GuardedClient(h.ctx.networks)
    await turn(Sender(h.ctx, client))
    await client.close()
    assert len(await deliveries(partner, made, "delivered")) == 1


async def test_of_two_changes_of_a_supplier_the_first_comes_first(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient
) -> None:
    await subscribed(partner, url=receiver.url)
    sent = [await rate(h, "sup_1", tier=tier) for tier in ("high", "critical", "prohibited", "low", "medium")]
    await h.step()
    receiver.delay_s = 0.02
    await turn(out)
    assert receiver.ids() == sent
    assert receiver.peak == 1
    assert [event["sequence"] for event in receiver.events()] == ["1", "2", "3", "4", "5"]


async def test_a_receiver_that_does_not_answer_in_time_or_at_all(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_POST_S", 0.1)
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))  # bound, not listening: refuses
        silent = await subscribed(partner, url=f"http://127.0.0.1:{nobody.getsockname()[1]}/")
        slow = await subscribed(partner, url=receiver.url)
        await rate(h, "sup_1")
        await h.step()
        receiver.delay_s = 1.0
        await turn(out)
    assert (await deliveries(partner, silent))[0]["attempts"][0]["error"] == "connection"
    assert (await deliveries(partner, slow))[0]["attempts"][0]["error"] == "timeout"


class Rebinding(AbstractResolver):
    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET) -> list[ResolveResult]:
        return [ResolveResult(hostname=host, host="10.0.0.1", port=port, family=socket.AF_INET, proto=0, flags=0)]

    async def close(self) -> None:
        pass


async def test_a_name_that_leads_to_a_private_network_when_it_is_called(
    h: Harness, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def public(_host: str, _port: int) -> list[str]:
        return ["93.184.215.14"]

    monkeypatch.setattr(egress, "_system_resolve", public)
    made = await subscribed(partner, url="https://rebinding.example/hook")
    await rate(h, "sup_1")
    await h.step()
    client = GuardedClient(h.ctx.networks, resolver=Rebinding())
    await turn(Sender(h.ctx, client))
    await client.close()
    assert (await deliveries(partner, made))[0]["attempts"][0]["error"] == "refused"
