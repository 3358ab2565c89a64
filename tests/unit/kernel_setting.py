"""What the tests of the kernel's loops share: a service that tells, one that keeps what it hears, over real files."""

import dataclasses
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

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

    async def close(self) -> None:
        for store in self.stores.values():
            await store.close()
        self.nudges.close()

    async def letters(self) -> list[tuple[str, str, int]]:
        return [(msgspec.json.decode(d.data)["word"], d.state, d.attempts) for d in await self.kernel.store.dead_letters()]
