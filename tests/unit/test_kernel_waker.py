"""Wakers: alarms ring once and in time, whatever others do meanwhile; broken ones silence nobody."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from shared.kernel.aggregate import Cause, Item, Message
from shared.kernel.waker import Waker
from tests.unit.kernel_setting import WORDS, Setting, Told


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    await setting.close()


async def ring(s: Setting, *words: str) -> None:
    """Documents named after the word that they keep, each to be woken in 60 s."""
    for word in words:
        for body in (word, "60"):
            cause = Cause(f"c {word} {body}", "test")
            await s.kernel.execute(Item(WORDS, "t", word, Message(Told(word=body), cause)))


async def test_an_alarm_rings_once_and_in_time(s: Setting) -> None:
    await ring(s, "x", "y")
    waker = Waker(s.kernel, [WORDS])
    s.clock.advance(59)
    assert await waker.step() == 0
    s.clock.advance(1)
    assert await waker.step() == 2
    assert await waker.step() == 0
    assert await s.said("x") == ("x", "60", "rung")
    assert await s.kernel.store.next_alarm() is None


async def test_a_broken_alarm_silences_no_other(s: Setting, caplog: pytest.LogCaptureFixture) -> None:
    await ring(s, "a", "broken", "deaf", "z")
    s.clock.advance(60)
    waker = Waker(s.kernel, [WORDS])
    assert await waker.step() == 2
    assert (await s.said("a"))[-1] == (await s.said("z"))[-1] == "rung"
    assert "broke: ZeroDivisionError" in caplog.text
    assert "rang without effect" in caplog.text


async def test_who_is_deaf_to_its_alarm_does_not_keep_the_waker_spinning(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    await ring(s, "deaf")
    s.clock.advance(3600)
    waker, steps = Waker(s.kernel, [WORDS], every_s=0.05), 0
    step = waker.step

    async def counted() -> int:
        nonlocal steps
        steps += 1
        return await step()

    monkeypatch.setattr(waker, "step", counted)
    running = asyncio.create_task(waker.run())
    await asyncio.sleep(0.3)
    running.cancel()
    assert 2 <= steps <= 8


async def test_many_broken_alarms_silence_no_other(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a batch of them, all due longer than the one that works; and they are not tried, nor told, all the time."""
    monkeypatch.setattr("shared.kernel.waker._BATCH", 3)
    names = [f"broken{i}" for i in range(8)]
    for name in names:
        await ring(s, name)
        await s.kernel.execute(Item(WORDS, "t", name, Message(Told(word="broken"), Cause(f"c {name} b", "test"))))
    s.clock.advance(1)
    await ring(s, "a")
    s.clock.advance(60)
    waker, tried = Waker(s.kernel, [WORDS]), 0
    apply = s.kernel.apply_many

    async def counted(items: Sequence[Item], **others: Any) -> Any:
        nonlocal tried
        tried += len(items) == 1
        return await apply(items, **others)

    monkeypatch.setattr(s.kernel, "apply_many", counted)
    assert sum([await waker.step() for _ in range(4)]) == 1
    assert (await s.said("a"))[-1] == "rung"
    before = tried
    for _ in range(5):
        s.clock.advance(0.1)
        await waker.step()
    assert tried == before
    s.clock.advance(2)
    await waker.step()
    assert tried > before
    s.clock.advance(-86_400)  # a clock that was put right
    s.clock.advance(86_400)
    await waker.step()


async def test_an_alarm_that_was_put_off_meanwhile_does_not_ring(s: Setting, caplog: pytest.LogCaptureFixture) -> None:
    """Somebody writes between the waker's look and its commit: what the alarm was for is no longer so."""
    await ring(s, "x", "y")
    s.clock.advance(60)
    load, once = s.kernel.store.load, True

    async def quicker(kind: str, keys: Sequence[Any]) -> Any:
        nonlocal once
        if once:
            once = False
            await s.kernel.execute(Item(WORDS, "t", "x", Message(Told(word="60"), Cause("c again", "test"))))
        return await load(kind, keys)

    s.kernel.store.load = quicker  # type: ignore[method-assign]
    assert await Waker(s.kernel, [WORDS]).step() == 1
    assert (await s.said("x"), (await s.said("y"))[-1]) == (("x", "60", "60"), "rung")
    assert "without effect" not in caplog.text
    s.clock.advance(60)
    assert await Waker(s.kernel, [WORDS]).step() == 1
    assert (await s.said("x"))[-1] == "rung"


async def test_the_service_that_looks_itself_is_left_alone(s: Setting) -> None:
    await ring(s, "x")
    s.clock.advance(60)
    assert await Waker(s.kernel, [dataclasses.replace(WORDS, rings=False)]).step() == 0
    assert [d.id for d in await s.kernel.store.due("words", datetime(2027, 1, 1, tzinfo=UTC).timestamp(), 9)] == ["x"]
