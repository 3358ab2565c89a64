"""Housekeeping: signed heads over what is new, topics kept short, and a full disk that ends nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.runtime.housekeeping import keep_house, sign_head, tidy_topics
from services.runtime.node import Node
from services.runtime.signing import HeadSigner, HeadVerifier
from shared.clock import FakeClock
from shared.kernel.journal import GENESIS, head_statement, roll
from shared.kernel.service import Service
from shared.settings import Settings
from shared.store.embedded import EmbeddedStore
from shared.store.port import Commit
from tests.contracts.store_behaviour import seqs, write
from tests.unit.kernel_setting import SOURCE, WORDS

SERVICES = (Service("onboarding", (SOURCE, WORDS)), Service("assessment", (SOURCE, WORDS)))


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    made = Node(Settings(data=tmp_path), SERVICES, "test", clock=FakeClock())
    yield made
    await made.close()


@pytest.fixture
def signer(tmp_path: Path) -> HeadSigner:
    return HeadSigner(tmp_path / "keys")


async def tell(store: EmbeddedStore, topic: str, version: int, *ids: str) -> None:
    writes = [replace(write(i, version, kind="source", topic=topic, key=f"source/t/{i}" if topic == "suppliers" else None)) for i in ids]
    assert await store.commit(Commit(writes)) == []


async def logged(node: Node, service: str, topic: str) -> int:
    consumer = await node.buses[service].consumer("g", [topic])
    return await consumer.lag()


async def test_a_head_is_signed_over_all_that_came(node: Node, signer: HeadSigner, tmp_path: Path) -> None:
    store = node.stores["onboarding"]
    await sign_head(store, signer, node.clock.now())
    assert await store.heads() == []
    for version in range(2):
        await tell(store, "suppliers", version, "a", "b")
        await sign_head(store, signer, node.clock.now())
        await sign_head(store, signer, node.clock.now())
    digest = GENESIS
    async for _, row in store.journal():
        digest = roll(digest, row.hash)
    heads = await store.heads()
    assert [h.seq for h in heads] == [2, 4]
    assert heads[-1].digest == digest
    for h in heads:
        assert HeadVerifier(tmp_path / "keys").holds(head_statement("onboarding", h.seq, h.digest, h.signed_at), h.signature)


async def test_topics_are_kept_short_by_what_they_are_for(node: Node, signer: HeadSigner) -> None:
    onboarding, assessment = node.stores["onboarding"], node.stores["assessment"]
    for version in range(3):
        await tell(onboarding, "suppliers", version, "a", "b")
        await tell(assessment, "ratings", version, "a", "b")
        for store in node.stores.values():
            await sign_head(store, signer, node.clock.now())
        node.clock.advance(20 * 86_400)  # type: ignore[attr-defined]  # a fake one
    await tidy_topics(node)  # the first two days' ratings are 60 and 40 days old, 30 are kept
    assert await logged(node, "onboarding", "suppliers") == 2
    assert await logged(node, "assessment", "ratings") == 2
    assert len(await seqs(onboarding)) == len(await seqs(assessment)) == 6


async def test_a_store_that_is_away_does_not_end_it(node: Node, signer: HeadSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    hurried = replace(node.settings, head_every_s=0.01)
    monkeypatch.setattr(node, "settings", hurried)
    store = node.stores["onboarding"]
    await tell(store, "suppliers", 0, "a")
    add, full = store.add_head, [sqlite3.OperationalError("database or disk is full")] * 3

    async def fails_at_first(head: object) -> None:
        if full:
            raise full.pop()
        await add(head)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "add_head", fails_at_first)
    running = asyncio.create_task(keep_house(node, signer))
    async with asyncio.timeout(5):
        while not await store.heads():
            await asyncio.sleep(0.01)
    assert not running.done()
    running.cancel()
