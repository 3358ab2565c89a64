"""Fetching from a publisher that answers as publishers do: nothing new, later, elsewhere, too much, too slowly, something else; and on schedule."""

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from services.intelligence.fetching import sources
from services.intelligence.fetching.ages import watch
from services.intelligence.fetching.schedule import Fetching, next_pull
from services.intelligence.releases.loading import Loader
from services.intelligence.service import SERVICE
from shared.errors import Invalid
from shared.events.intelligence import ListWatched
from shared.settings import Settings
from shared.telemetry import exposition
from tests.services.harness import Harness, harness
from tests.services.intelligence_lists import LIST, MARK, mills, read, sdn, work
from tests.services.list_publisher import serving

PULLS, SCHEDULE = f"/v1/lists/{LIST}/pulls", f"/v1/lists/{LIST}/schedule"
KEY = "k" + MARK


class Publisher:
    """Gives `body` with a tag, after the answers that stand before it."""

    def __init__(self) -> None:
        self.body, self.tag, self.before = sdn(mills(5)), '"1"', list[web.StreamResponse | str]()
        self.asked: list[dict[str, str]] = []
        self.base = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append({"path": request.path, **request.headers})
        if request.path == "/sum":
            return web.Response(text=f"{hashlib.sha256(self.body).hexdigest()}  SDN.CSV\n")
        what = self.before.pop(0) if self.before else None
        if isinstance(what, web.Response):
            return what
        if self.tag and request.headers.get("If-None-Match") == self.tag:
            return web.Response(status=304)
        if what is None:
            return web.Response(body=self.body, headers={"ETag": self.tag} if self.tag else {})
        started = web.StreamResponse(headers={"Content-Length": str(len(self.body))})
        await started.prepare(request)
        await started.write(self.body[:50])
        if what == "slow":
            await asyncio.sleep(10)
        assert request.transport is not None
        request.transport.close()
        return started


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    found = Publisher()
    async with serving(found.answer, "127.0.0.2") as found.base:
        yield found


async def _started(tmp_path: Path, publisher: Publisher, more: str = "", **settings: Any) -> AsyncIterator[Harness]:
    (tmp_path / "lists.yaml").write_text(f"{LIST}:\n  address: {publisher.base}/sdn\n{more}")
    async with harness(tmp_path / "data", SERVICE, egress_allow="127.0.0.0/8", lists=str(tmp_path / "lists.yaml"), **settings) as started:
        yield started


@pytest.fixture
async def h(tmp_path: Path, publisher: Publisher) -> AsyncIterator[Harness]:
    (tmp_path / "key").write_text(KEY + "\n")
    async for started in _started(
        tmp_path, publisher, f"  sha256: {publisher.base}/sum\n  key_file: {tmp_path / 'key'}\n", lists_pull_s=8.0
    ):
        yield started


async def pull(h: Harness, expect: int = 202) -> Any:
    answer = await h.client("operator", subject="op").post(PULLS, json={})
    assert answer.status_code == expect, answer.text
    assert MARK not in answer.text
    await work(Loader(h.ctx))
    return answer.json()


def raw(h: Harness) -> list[str]:
    return sorted(p.name for p in (h.ctx.folder / "raw").iterdir())


async def test_what_has_not_changed_is_seen_and_kept_once(h: Harness, publisher: Publisher) -> None:
    first = await pull(h)
    assert (first["outcome"], (await read(h, first["id"]))["state"]) == ("received", "accepted")
    kept = raw(h)
    h.clock.advance(3_600)
    assert await pull(h) == {"id": first["id"], "outcome": "unchanged"}
    assert publisher.asked[-1]["If-None-Match"] == '"1"'
    assert (await read(h, first["id"]))["seen_at"] > (await read(h, first["id"]))["accepted_at"]
    publisher.tag = ""  # a publisher without tags: the bytes tell
    h.clock.advance(3_600)
    assert await pull(h) == {"id": first["id"], "outcome": "unchanged"}
    assert raw(h) == kept
    publisher.body = sdn(mills(6))
    assert (await read(h, (await pull(h))["id"]))["added"] == 1


async def test_what_was_overtaken_is_fetched_again_though_its_publisher_has_nothing_new(h: Harness, publisher: Publisher) -> None:
    first = await pull(h)
    h.clock.advance(60)
    answer = await h.client("operator", subject="op").post(f"/v1/lists/{LIST}/releases", content=sdn(mills(6)))
    await work(Loader(h.ctx))
    assert (await read(h, answer.json()["id"]))["state"] == "accepted"
    h.clock.advance(60)
    again = await pull(h)
    assert again["id"] != first["id"]
    assert "If-None-Match" not in publisher.asked[-2]
    assert (await read(h, again["id"]))["deleted"] == 1


async def test_what_passes_is_tried_again_and_what_does_not_is_not(h: Harness, publisher: Publisher) -> None:
    publisher.before = [web.Response(status=500), web.Response(status=429, headers={"Retry-After": "1"}), "cut"]
    begun = asyncio.get_running_loop().time()
    found = await read(h, (await pull(h))["id"])
    assert (found["state"], found["entries"]) == ("accepted", 5)
    assert asyncio.get_running_loop().time() - begun >= 1.0
    asked = len(publisher.asked)
    publisher.before = [web.Response(status=403, text=MARK)]
    assert "answered 403" in (await pull(h, 503))["detail"]
    publisher.before = [web.Response(status=429, headers={"Retry-After": "900"})]
    assert "answered 429" in (await pull(h, 503))["detail"]
    assert len(publisher.asked) == asked + 2
    told = (await h.client("analyst").get(SCHEDULE)).json()
    assert (told["outcome"], told["failures"], told["every_s"]) == ("failed", 2, None)


async def test_redirects_are_followed_through_the_guard_and_take_no_key_elsewhere(h: Harness, publisher: Publisher) -> None:
    other = publisher.base.replace("127.0.0.1", "127.0.0.2")
    publisher.before = [
        web.Response(status=302, headers={"Location": "/second"}),
        web.Response(status=307, headers={"Location": f"{other}/x"}),
    ]
    assert (await pull(h))["outcome"] == "received"
    assert [(one["path"], one.get("X-API-KEY")) for one in publisher.asked][:3] == [("/sdn", KEY), ("/second", KEY), ("/x", None)]
    for inside in ("http://10.0.0.1/x", "https://169.254.169.254/latest", "file:///etc/passwd", "ftp://8.8.8.8/"):
        publisher.before = [web.Response(status=302, headers={"Location": inside})]
        assert "leads to one that may not be called" in (await pull(h, 503))["detail"]
    publisher.before = [web.Response(status=302, headers={"Location": "/again"}) for _ in range(6)]
    assert "more than 5 times" in (await pull(h, 503))["detail"]


async def test_what_is_not_the_file_is_refused_in_words(h: Harness, publisher: Publisher, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    publisher.before = [web.Response(text=f"\n<!-- {MARK} -->\n<!DOCTYPE html><title>Sorry", content_type="text/csv")]
    assert "a web page" in (await pull(h, 503))["detail"]
    publisher.before = [web.Response(body=b"")]
    assert "empty" in (await pull(h, 503))["detail"]
    publisher.before = [web.Response(body=sdn(mills(4)))]
    assert "checksum" in (await pull(h, 503))["detail"]
    publisher.before = [web.Response(body=publisher.body, headers={"Content-Encoding": "gzip"})]
    assert "compressed" in (await pull(h, 503))["detail"]
    publisher.before = ["slow"]
    assert "longer than it may" in (await pull(h, 503))["detail"]
    assert raw(h) == []
    assert MARK not in caplog.text


async def test_a_file_over_the_limit_is_refused(h: Harness, publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    import msgspec

    from services.intelligence.lists import catalogue

    monkeypatch.setitem(catalogue.CATALOGUE, LIST, msgspec.structs.replace(catalogue.find(LIST), max_total_bytes=100))
    await pull(h, 413)
    assert raw(h) == []


async def test_a_schedule_pulls_by_itself_and_waits_longer_after_failures(h: Harness, publisher: Publisher) -> None:
    fetching, operator = Fetching(h.ctx), h.client("operator", subject="op")
    await fetching.adopt()
    assert await fetching.step() == 0
    assert (await h.client("analyst").put(SCHEDULE, json={"every_s": 3_600})).status_code == 403
    assert (await operator.put(SCHEDULE, json={"every_s": 60})).status_code == 422
    assert (await operator.put(SCHEDULE, json={"every_s": 3_600})).json()["set_by"] == "op"
    h.clock.advance(360)
    assert await fetching.step() == 1
    await work(Loader(h.ctx))
    told = (await operator.get(SCHEDULE)).json()
    assert (told["outcome"], (await read(h, told["release_id"]))["state"]) == ("received", "accepted")
    at = await next_pull(h.ctx, LIST)
    assert at is not None
    assert timedelta(hours=1) <= at - h.clock.now() <= timedelta(minutes=66)
    assert await fetching.step() == 0
    for failures, minutes in ((1, 15), (2, 30), (3, 60), (4, 60)):
        h.clock.advance(4_000)
        publisher.before = [web.Response(status=404)]
        assert await fetching.step() == 1
        at = await next_pull(h.ctx, LIST)
        assert at is not None
        assert timedelta(minutes=minutes) <= at - h.clock.now() <= timedelta(minutes=minutes * 1.1)
        assert (await operator.get(SCHEDULE)).json()["failures"] == failures
    h.clock.advance(4_000)
    publisher.before = [web.Response(status=503, headers={"Retry-After": "7200"})]
    assert await fetching.step() == 1
    at = await next_pull(h.ctx, LIST)
    assert at is not None
    assert at - h.clock.now() >= timedelta(hours=2)
    await operator.put(SCHEDULE, json={"every_s": None})
    await fetching.adopt()
    h.clock.advance(100_000)
    assert await fetching.step() == 0


async def test_the_settings_schedule_all_lists_that_nobody_has_set(tmp_path: Path, publisher: Publisher) -> None:
    async for h in _started(tmp_path, publisher, lists_pull="on"):
        fetching = Fetching(h.ctx)
        await h.client("operator").put("/v1/lists/us_ofac_cons/schedule", json={"every_s": None})
        await fetching.adopt()
        assert await next_pull(h.ctx, LIST)
        assert await next_pull(h.ctx, "us_ofac_cons") is None
        off = Fetching(h.ctx)
        object.__setattr__(h.ctx.settings, "lists_pull", "off")
        await off.adopt()
        assert await next_pull(h.ctx, LIST) is None


def test_settings_are_checked(tmp_path: Path) -> None:
    file = tmp_path / "lists.yaml"
    file.write_text(f"{LIST}:\n  adress: {MARK}\n")
    with pytest.raises(Invalid) as wrong:
        sources.of_file(str(file))
    assert MARK not in str(wrong.value) + str(wrong.value.errors)
    for name, value in (("LISTS_PULL", "yes"), ("LISTS_PROXY", "socks5://x"), ("LISTS_PULL_S", "0")):
        with pytest.raises(Invalid):
            Settings.read({f"DUEWATCH_{name}": value})


async def test_how_old_lists_are_is_told_and_measured(tmp_path: Path, publisher: Publisher) -> None:
    async for h in _started(tmp_path, publisher, list_max_age_days=10.0):
        operator, fetching = h.client("operator"), Fetching(h.ctx)
        await watch(h.ctx, fetching.puller.sources)
        assert await h.told("lists") == []  # neither loaded nor asked for
        await operator.put(SCHEDULE, json={"every_s": 3_600})
        await watch(h.ctx, fetching.puller.sources)
        h.clock.advance(360)
        await fetching.step()
        await work(Loader(h.ctx))
        for _ in range(2):
            await watch(h.ctx, fetching.puller.sources)
        await operator.put(SCHEDULE, json={"every_s": None})
        h.clock.advance(40)
        await watch(h.ctx, fetching.puller.sources)
        told = [(one.checked_at is not None, one.max_age_s) for one in await h.told("lists") if isinstance(one, ListWatched)]
        assert told == [(False, 3 * 86_400), (True, 3 * 86_400), (True, 10 * 86_400)]
        assert b'duewatch_list_age_seconds{list="us_ofac_sdn"} 40.0' in exposition.own()
        assert b'duewatch_list_permitted_age_seconds{list="us_ofac_sdn"} 864000.0' in exposition.own()


async def test_a_proxy_is_asked_in_place_of_the_publisher_and_the_guard_before_it(tmp_path: Path, publisher: Publisher) -> None:
    (tmp_path / "lists.yaml").write_text(f"{LIST}:\n  address: http://127.0.0.9:9/sdn\n")  # where nobody answers
    settings = {"egress_allow": "127.0.0.0/8", "lists": str(tmp_path / "lists.yaml"), "lists_proxy": publisher.base}
    async with harness(tmp_path / "data", SERVICE, **settings) as h:
        assert (await pull(h))["outcome"] == "received"
        assert publisher.asked[0]["Host"] == "127.0.0.9:9"
        publisher.tag, publisher.before = "", [web.Response(status=302, headers={"Location": "https://10.0.0.1/x"})]
        assert "may not be called" in (await pull(h, 503))["detail"]


async def test_the_task_fetches_what_is_due_for_ever(tmp_path: Path, publisher: Publisher) -> None:
    async for h in _started(tmp_path, publisher):
        task = next(task for task in SERVICE.tasks(h.ctx) if task.name == "list fetching")
        await h.client("operator").put(SCHEDULE, json={"every_s": 900})
        h.clock.advance(100)
        running = asyncio.ensure_future(task.run())
        try:
            async with asyncio.timeout(20):
                while (await h.client("operator").get(SCHEDULE)).json()["outcome"] != "received":
                    await asyncio.sleep(0.05)
        finally:
            running.cancel()
