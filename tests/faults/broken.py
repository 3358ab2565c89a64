"""Kernels with one promise broken each: what a simulation that is worth anything must notice."""

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from shared.bus.port import Bus
from shared.clock import Clock
from shared.ids import Ids
from shared.kernel.aggregate import Document, Item, Outcome
from shared.kernel.folding import Folded
from shared.kernel.kernel import Kernel
from shared.store.port import Commit, Lost, Store, Write


class Forgetful(Kernel):
    """Keeps no watermarks: a message that comes again acts again."""

    def _next(self, f: Folded, item: Item, state: Any, events: list[Any], now: datetime) -> Document[Any]:
        made = super()._next(f, item, state, events, now)
        made.marks = {}
        return made


class Amnesiac(Kernel):
    """Keeps no answers: a command that comes again acts, or is refused, again."""

    @staticmethod
    def _write(f: Folded) -> Write:
        assert f.document is not None
        f.document.inbox = {}
        return Kernel._write(f)


class Headless(Kernel):
    """Leaves the head of a document as it was."""

    @staticmethod
    def _write(f: Folded) -> Write:
        return dataclasses.replace(Kernel._write(f), head=f.stored.head if f.stored else b"")


class _Hasty:
    """A store that tells before it writes."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store, self._bus = store, bus

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, commit: Commit) -> list[Lost]:
        await self._bus.publish([row for write in commit.writes for row in write.rows])
        return await self._store.commit(commit)


class Hasty(Kernel):
    """Publishes before it commits."""

    def __init__(self, service: str, store: Store, bus: Bus, clock: Clock, ids: Ids) -> None:
        super().__init__(service, _Hasty(store, bus), bus, clock, ids)


class _Lossy:
    """A store that now and then says it wrote what a caller asked for, and did not."""

    def __init__(self, store: Store) -> None:
        self._store, self._commits = store, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def commit(self, commit: Commit) -> list[Lost]:
        self._commits += 1
        if self._commits % 5 == 0 and commit.writes and not commit.consumed:
            commit = Commit()
        return await self._store.commit(commit)


class Lossy(Kernel):
    """Answers before it has written."""

    def __init__(self, service: str, store: Store, bus: Bus, clock: Clock, ids: Ids) -> None:
        super().__init__(service, _Lossy(store), bus, clock, ids)  # type: ignore[arg-type]  # the rest is the store's


class Careless(Kernel):
    """Stores how far it has read before the effects are there."""

    async def apply_many(self, items: Sequence[Item], *, consumed: dict[str, int] | None = None, **others: Any) -> list[Outcome]:
        if consumed and items:
            self.bus.memory.offsets.update(consumed)  # type: ignore[attr-defined]  # the bus of these tests
        return await super().apply_many(items, consumed=consumed, **others)
