"""Reactors: batches, poison, dead letters, stores that are away."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

import msgspec
import pytest

from services.runtime.lag import LagWatch
from shared.errors import Invalid
from shared.events.envelope import Record
from shared.kernel.aggregate import Item
from shared.telemetry.instruments import REGISTRY
from tests.unit.kernel_setting import Setting


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    await setting.close()


async def test_what_waits_is_one_batch(s: Setting) -> None:
    await s.tell("a", "b", "c")
    reactor = await s.reactor()
    assert await reactor.step(0) == 3
    assert await reactor.step(0) == 0
    assert (s.batches, await s.said()) == ([3], ("a", "b", "c"))
    assert await (await s.reactor()).step(0) == 0


async def test_of_a_batch_that_hangs_the_lag_is_still_told(s: Setting) -> None:
    async def hangs(_: Sequence[Record]) -> list[Item]:
        await asyncio.Event().wait()
        raise AssertionError

    reactor = await s.reactor(hangs)
    await s.tell("a", "b")
    hanging = asyncio.create_task(reactor.run())
    await asyncio.sleep(0.1)
    await s.tell("c")
    await LagWatch([reactor]).look()
    assert REGISTRY.get_sample_value("duewatch_consumer_lag", {"messaging_consumer_group_name": "audits"}) == 3
    hanging.cancel()


@pytest.mark.parametrize(
    ("poison", "attempts"),
    [(ZeroDivisionError(), 5), (msgspec.DecodeError("x"), 1), (msgspec.ValidationError("x"), 1), (Invalid("x"), 5), (KeyError("type"), 5)],
)
async def test_poison_becomes_a_dead_letter_and_the_partition_moves_on(s: Setting, poison: Exception, attempts: int) -> None:
    """What cannot be read is not tried again: a hundred such messages would hold up the group for minutes."""
    s.fails["bad"] = [poison] * 6
    await s.tell("a", "bad", "c")
    reactor = await s.reactor(attempts=5)
    await reactor.step(0)
    assert await s.said() == ("a", "c")
    assert await s.letters() == [("bad", "dead", attempts)]
    (letter,) = await s.kernel.store.dead_letters()
    assert letter.error.startswith(type(poison).__name__)
    await s.tell("d")
    await reactor.step(0)
    assert await s.said() == ("a", "c", "d")
    assert await (await s.reactor()).step(0) == 0


async def test_a_refused_event_is_poison_too(s: Setting) -> None:
    await s.tell("a", "refused", "c")
    await (await s.reactor(attempts=2)).step(0)
    assert await s.said() == ("a", "c")
    assert await s.letters() == [("refused", "dead", 2)]


async def test_what_fails_for_a_moment_is_no_poison(s: Setting) -> None:
    s.fails["bad"] = [ZeroDivisionError()] * 3
    await s.tell("a", "bad", "c")
    await (await s.reactor(attempts=5)).step(0)
    assert await s.said() == ("a", "bad", "c")
    assert await s.letters() == []


async def test_an_error_tells_its_place_and_nothing_of_the_message(s: Setting) -> None:
    s.fails["bad"] = [ValueError("secret of the message")] * 6
    await s.tell("bad")
    await (await s.reactor()).step(0)
    (letter,) = await s.kernel.store.dead_letters()
    assert "secret" not in letter.error
    assert "react" in letter.error


async def test_a_dead_letter_is_replayed_by_its_id(s: Setting) -> None:
    s.fails["bad"] = [ZeroDivisionError()] * 6
    await s.tell("a", "bad", "c")
    reactor = await s.reactor()
    await reactor.step(0)
    (letter,) = await s.kernel.store.dead_letters()
    s.fails["bad"] = [ZeroDivisionError()]
    for state, attempts in (("dead", 6), ("replayed", 5)):
        assert await s.kernel.store.mark_dead_letter(letter.id, "replaying")
        await reactor.replay()
        assert [(d.state) for d in await s.kernel.store.dead_letters()] == [state]
        if state == "dead":
            assert [d.attempts for d in await s.kernel.store.dead_letters()] == [attempts]
    assert await s.said() == ("a", "c", "bad")
    await s.tell("d")
    await reactor.step(0)
    assert await s.said() == ("a", "c", "bad", "d")


async def test_another_groups_dead_letter_is_left_alone(s: Setting) -> None:
    s.fails["bad"] = [ZeroDivisionError()] * 6
    await s.tell("bad")
    await (await s.reactor()).step(0)
    (letter,) = await s.kernel.store.dead_letters()
    await s.kernel.store.mark_dead_letter(letter.id, "replaying")
    await (await s.reactor(group="others")).replay()
    assert [d.state for d in await s.kernel.store.dead_letters()] == ["replaying"]


async def test_a_replay_finds_its_own_among_many_of_other_groups(s: Setting) -> None:
    """Those of a group that does not run any more stay as they are, and stand in nobody's way."""
    s.fails["bad"] = [ZeroDivisionError()] * 6
    await s.tell("bad")
    reactor = await s.reactor()
    await reactor.step(0)
    (letter,) = await s.kernel.store.dead_letters()
    others = [msgspec.structs.replace(letter, id=f"dead_0{i:03}", group="gone", state="replaying") for i in range(120)]
    await s.kernel.apply_many([], dead=others)
    await s.kernel.store.mark_dead_letter(letter.id, "replaying")
    await reactor.replay()
    assert await s.said() == ("bad",)
    assert len(await s.kernel.store.dead_letters(state="replaying", limit=500)) == 120


@pytest.mark.parametrize("away", [sqlite3.OperationalError("locked"), OSError(28, "full")])
async def test_a_store_that_is_away_is_waited_for(s: Setting, away: Exception) -> None:
    """Nothing is skipped, nothing becomes a dead letter, and the pauses grow."""
    s.fails["b"] = [away] * 6
    await s.tell("a", "b", "c")
    reactor = await s.reactor()
    assert [reactor._pause(n) < 0.001 * 2**n <= 2 * reactor._pause(n) + 0.001 * 2**n for n in (1, 5)] == [True, True]
    assert reactor._pause(50) <= 30.0
    running = asyncio.create_task(reactor.run())
    async with asyncio.timeout(10):
        while await s.said() != ("a", "b", "c"):
            await asyncio.sleep(0.01)
    running.cancel()
    assert s.met.count("b") == 7
    assert await s.letters() == []


async def test_told_to_end_it_finishes_once(s: Setting) -> None:
    """Also while it waits for its store."""
    finished = []

    async def finish(_: Mapping[str, int]) -> None:
        finished.append(await s.said())

    s.fails["b"] = [OSError(28, "full")] * 1000
    reactor = await s.reactor(finish=finish, back_off_s=5.0)
    running = asyncio.create_task(reactor.run())
    await s.tell("a")
    async with asyncio.timeout(10):
        while await s.said() != ("a",):
            await asyncio.sleep(0.01)
    await s.tell("b")
    async with asyncio.timeout(10):
        while "b" not in s.met:
            await asyncio.sleep(0.01)
    assert finished == []
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert finished == [("a",)]
