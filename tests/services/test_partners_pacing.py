"""Many subscribers at once: slow and dead ones hold up nobody, what waits goes out later, replays and tests go the same way."""

import asyncio

import httpx
import pytest

from services.partners import lanes, replays, sender
from services.partners.sender import Sender
from services.partners.service import SERVICE
from tests.services.harness import Harness
from tests.services.partners_receiver import Receiver, receiving
from tests.services.test_partners_api import rate, subscribed, whole_feed
from tests.services.test_partners_webhooks import deliveries, h, out, partner, receiver, rightly_signed, turn  # noqa: F401  # fixtures


async def test_dead_and_slow_receivers_hold_up_nobody(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_WINDOW", 40)
    monkeypatch.setattr(lanes, "_MOST_HELD", 20)
    monkeypatch.setattr(lanes, "_CROWDING_S", 0.0)
    monkeypatch.setattr(sender, "_POST_S", 3.0)
    async with receiving() as slow:
        slow.delay_s = 60.0
        dead = await subscribed(partner, url=slow.url, filters={"countries": ["CN"]})
        quick = await subscribed(partner, url=receiver.url, filters={"countries": ["DE"]})
        for n in range(150):
            await rate(h, f"sup_{n}")
        wanted = [await rate(h, f"sup_de_{n}", country="DE") for n in range(5)]
        await h.step()
        while len(receiver.got) < 5:
            await out.look()
            await asyncio.sleep(0.02)
            await out.record()
        assert slow.peak == 10  # that one has not answered yet
        assert sorted(receiver.ids()) == sorted(wanted)
        assert await h.ctx.store.count("delivery", "default", {"lane": f"{dead['id']}/queued"}) >= 60
        assert await deliveries(partner, quick, "queued") == []
        slow.delay_s, slow.status = 0.0, 204
        await out.settled()
        await out.record()


async def test_silent_receivers_hold_up_nobody_after_a_start(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_AT_ONCE", 75)
    receiver.slow_path, receiver.delay_s = "/silent", 60.0
    for n in range(6):  # of one host, too: its connections are not shared out either
        await subscribed(partner, url=receiver.url.replace("/hook", f"/silent{n}"), filters={"countries": ["CN"]})
    made = await subscribed(partner, url=receiver.url, filters={"countries": ["DE"]})
    for n in range(15):
        await rate(h, f"sup_{n}")
    await h.step()
    await out.look()
    while receiver.now < 60:
        await asyncio.sleep(0.01)
    await rate(h, "sup_de", country="DE")
    await h.step()
    async with asyncio.timeout(8.0):
        while not await deliveries(partner, made, "delivered"):
            await out.look()
            await asyncio.sleep(0.02)
            await out.record()
    await out.settled(0.0)


async def test_queued_deliveries_go_out_when_there_is_room_also_after_a_start(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "_WINDOW", 40)
    monkeypatch.setattr(lanes, "_MOST_HELD", 20)
    monkeypatch.setattr(lanes, "_CROWDING_S", 0.0)
    made = await subscribed(partner, url=receiver.url)
    sent = [await rate(h, f"sup_{n}") for n in range(120)]
    await h.step()
    for _ in range(4):
        await out.look()
        await out.settled()
    queued = len(await deliveries(partner, made, "queued"))
    assert queued == 50  # a page
    await out.record()
    task = asyncio.create_task(Sender(h.ctx, out._client).run())  # another one, as after a start
    while len(await h.ctx.store.find("delivery", "default", {"lane": f"{made['id']}/delivered"}, limit=500)) < 120:
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])
    assert sorted(receiver.ids()) == sorted(sent)
    assert len(await deliveries(partner, made, "delivered")) == 50  # a page


async def test_a_replay_sends_again_from_a_cursor(h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, url=receiver.url, filters={"countries": ["CN"]})
    before = [await rate(h, f"sup_{n}") for n in range(3)]
    await h.step()
    _, cursor = await whole_feed(partner)
    await turn(out)
    after = [await rate(h, f"sup_{n}") for n in range(3, 6)]
    await rate(h, "sup_de", country="DE")
    await h.step()
    await turn(out)
    assert sorted(receiver.ids()) == sorted(before + after)
    receiver.got.clear()
    path = f"/v1/subscriptions/{made['id']}/replay"
    asked = await partner.post(path, json={"after": cursor}, headers={"Idempotency-Key": "r"})
    assert (asked.status_code, asked.json()["replaying"]) == (202, True)
    assert (await partner.post(path, json={"after": cursor}, headers={"Idempotency-Key": "r"})).json() == asked.json()
    assert (await partner.post(path, json={})).status_code == 409
    while await replays.step(h.ctx):
        pass
    await turn(out)
    assert sorted(receiver.ids()) == sorted(after)
    assert (await partner.get(f"/v1/subscriptions/{made['id']}")).json()["replaying"] is False
    assert (await partner.post(path, json={})).status_code == 202
    while await replays.step(h.ctx):
        pass
    await turn(out)
    assert sorted(receiver.ids()) == sorted(before + after + after)


async def test_a_replay_of_many_pages_goes_out_whole_while_its_receiver_is_busy(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "_PAGE", 5)
    made = await subscribed(partner, url=receiver.url)
    sent = [await rate(h, f"sup_{n}") for n in range(10)]
    await h.step()
    await turn(out)
    assert (await partner.post(f"/v1/subscriptions/{made['id']}/replay", json={})).status_code == 202
    receiver.delay_s = 0.1
    for _ in range(2):  # the second page comes while the first is under way, and all that was queued of it is taken
        await replays.step(h.ctx)
        await out.look()
    receiver.delay_s = 0.0
    await turn(out)
    assert sorted(receiver.ids()) == sorted(sent + sent)
    assert await deliveries(partner, made, "queued") == []


async def test_what_is_queued_again_before_its_sender_let_go_of_it_goes_out(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient
) -> None:
    made = await subscribed(partner, url=receiver.url)
    sent = [await rate(h, f"sup_{n}") for n in range(2)]
    await h.step()
    await out.look()
    await out.settled()
    async with out._looking:  # both are recorded, and still in memory
        recording = asyncio.create_task(out.record())
        while len(await deliveries(partner, made, "delivered")) < 2:
            await asyncio.sleep(0.01)
        assert (await partner.post(f"/v1/subscriptions/{made['id']}/replay", json={})).status_code == 202
        await replays.step(h.ctx)
        await out._refresh()
        (lane,) = out._lanes.values()
        await out._refill(lane)
        lane.held += 1  # others are under way
    await recording
    await turn(out)
    lane.held -= 1
    await turn(out)
    assert sorted(receiver.ids()) == sorted(sent + sent)


async def test_a_replay_hurries_what_waits_for_its_next_attempt(
    h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient
) -> None:
    made = await subscribed(partner, url=receiver.url)
    sent = [await rate(h, f"sup_{n}") for n in range(3)]
    await h.step()
    receiver.status = 500
    await turn(out)
    receiver.status = 204
    receiver.got.clear()
    assert (await partner.post(f"/v1/subscriptions/{made['id']}/replay", json={})).status_code == 202
    await replays.step(h.ctx)
    await turn(out)
    assert sorted(receiver.ids()) == sorted(sent)
    assert len(await deliveries(partner, made, "delivered")) == 3


async def test_a_test_delivery(h: Harness, out: Sender, receiver: Receiver, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, url=receiver.url)
    path, key = f"/v1/subscriptions/{made['id']}/test", {"Idempotency-Key": "t"}
    answer = await partner.post(path, headers=key)
    assert answer.status_code == 202
    assert (await partner.post(path, headers=key)).json() == answer.json()
    await turn(out)
    (event,) = receiver.events()
    assert (event["id"], event["type"]) == (answer.json()["event_id"], "duewatch.subscription.test.v1")
    assert rightly_signed(made["secret"], *receiver.got[0][1:])
    assert (await whole_feed(partner))[0] == []


async def test_the_tasks_send_what_comes_and_end_without_repeating_it(h: Harness, receiver: Receiver, partner: httpx.AsyncClient) -> None:
    made = await subscribed(partner, url=receiver.url)
    sent = []
    for start in range(2):
        tasks = [asyncio.create_task(task.run()) for task in SERVICE.tasks(h.ctx)]  # type: ignore[arg-type]  # run gives a coroutine
        receiver.delay_s = 0.05
        sent += [await rate(h, f"sup_{start}_{n}") for n in range(60)]
        await h.step()
        while len(receiver.got) < 30 + 60 * start:
            await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    tasks = [asyncio.create_task(task.run()) for task in SERVICE.tasks(h.ctx)]  # type: ignore[arg-type]  # run gives a coroutine
    while len(await h.ctx.store.find("delivery", "default", {"lane": f"{made['id']}/delivered"}, limit=500)) < 120:
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    assert sorted(receiver.ids()) == sorted(sent)
