"""Reactors and wakers: batches, poison, dead letters, stores that are away, alarms."""

import asyncio
import dataclasses
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.bus.embedded import EmbeddedBus
from shared.bus.nudge import Nudges
from shared.clock import FakeClock
from shared.errors import Invalid
from shared.events.envelope import Payload, Record, event
from shared.ids import RandomIds
from shared.kernel.aggregate import Aggregate, Alarm, Cause, Decided, Item, Message
from shared.kernel.kernel import Kernel
from shared.kernel.reactor import Reaction, Reactor, cause_of
from shared.kernel.service import Service
from shared.kernel.waker import Waker
from shared.store.embedded import EmbeddedStore


@event("test.reactor_told.v1", "ratings")
class Told(Payload, frozen=True, kw_only=True):
    word: str


@event("test.reactor_kept.v1", None)
class Kept(Payload, frozen=True, kw_only=True):
    word: str


class Words(msgspec.Struct, frozen=True):
    said: tuple[str, ...]
    wake_at: datetime | None = None


def _tell(_state: Any, message: Message, _now: datetime) -> Decided[Any]:
    return Decided(Words((message.body,)), [Told(word=message.body)])


def _keep(state: Words | None, message: Message, now: datetime) -> Decided[Words] | None:
    before = state or Words(())
    if isinstance(message.body, Alarm):
        if "deaf" in before.said:
            return None
        if "broken" in before.said:
            raise ZeroDivisionError
        return Decided(Words((*before.said, "rung")), [Kept(word="rung")])
    word = message.body.word
    if word == "refused":
        raise Invalid("Not that word")
    wake = now + timedelta(seconds=int(word)) if word.isdigit() else before.wake_at
    return Decided(Words((*before.said, word), wake), [Kept(word=word)])


SOURCE: Aggregate[Any] = Aggregate("source", Words, _tell)
WORDS: Aggregate[Words] = Aggregate("words", Words, _keep, wake=lambda s: s.wake_at)


class Setting:
    """Assessment tells on `ratings`, audits keep what they hear: `fails` holds what goes wrong with a word, each time that it is met."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.nudges = FakeClock(), Nudges(folder / "run", "test")
        self.stores = {n: EmbeddedStore(folder / f"{n}.db", Service(n, (SOURCE, WORDS)).collections()) for n in ("assessment", "audits")}
        self.told, self.kernel = (
            Kernel(n, self.stores[n], EmbeddedBus(folder, self.nudges, self.stores[n], 1), self.clock, RandomIds())
            for n in ("assessment", "audits")
        )
        self.fails: dict[str, list[Exception]] = {}
        self.met: list[str] = []
        self.batches: list[int] = []

    async def tell(self, *words: str) -> None:
        for word in words:
            await self.told.execute(Item(SOURCE, "t", word, Message(word, Cause(f"c {word}", "test"))))

    async def react(self, records: Sequence[Record]) -> list[Item]:
        self.batches.append(len(records))
        items = []
        for record in records:
            told = record.payload()
            assert isinstance(told, Told)
            self.met.append(told.word)
            if self.fails.get(told.word):
                raise self.fails[told.word].pop(0)
            items.append(Item(WORDS, "t", "all", Message(told, cause_of(record))))
        return items

    async def reactor(self, react: Callable[[Sequence[Record]], Awaitable[list[Item]]] | None = None, **options: Any) -> Reactor:
        reaction = Reaction("audits", ("ratings",), react or self.react, back_off_s=0.001)
        reactor = Reactor(self.kernel, dataclasses.replace(reaction, **options))
        await reactor.start()
        return reactor

    async def said(self, id_: str = "all") -> tuple[str, ...]:
        found = await self.kernel.get(WORDS, "t", id_)
        return found.state.said if found else ()

    async def letters(self) -> list[tuple[str, str, int]]:
        return [(msgspec.json.decode(d.data)["word"], d.state, d.attempts) for d in await self.kernel.store.dead_letters()]


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    for store in setting.stores.values():
        await store.close()
    setting.nudges.close()


async def test_what_waits_is_one_batch(s: Setting) -> None:
    await s.tell("a", "b", "c")
    reactor = await s.reactor()
    assert await reactor.step(0) == 3
    assert await reactor.step(0) == 0
    assert (s.batches, await s.said()) == ([3], ("a", "b", "c"))
    assert await (await s.reactor()).step(0) == 0


@pytest.mark.parametrize("poison", [ZeroDivisionError(), msgspec.DecodeError("x"), Invalid("x"), KeyError("type")])
async def test_poison_becomes_a_dead_letter_and_the_partition_moves_on(s: Setting, poison: Exception) -> None:
    s.fails["bad"] = [poison] * 6
    await s.tell("a", "bad", "c")
    reactor = await s.reactor(attempts=5)
    await reactor.step(0)
    assert await s.said() == ("a", "c")
    assert await s.letters() == [("bad", "dead", 5)]
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
        await reactor.step(0)
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
    await (await s.reactor(group="others")).step(0)
    assert [d.state for d in await s.kernel.store.dead_letters()] == ["replaying"]


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


async def test_the_service_that_looks_itself_is_left_alone(s: Setting) -> None:
    await ring(s, "x")
    s.clock.advance(60)
    assert await Waker(s.kernel, [dataclasses.replace(WORDS, rings=False)]).step() == 0
    assert [d.id for d in await s.kernel.store.due("words", datetime(2027, 1, 1, tzinfo=UTC).timestamp(), 9)] == ["x"]
