"""A store in memory (its bus: memory_bus.py); together they behave as MongoDB and Kafka do, so that what would go wrong there goes wrong here.

Documents are written one by one, a commit may be cut off between any two. Events ride in their document until they are published, which happens
after the commit; what a crash left unpublished is published again by `recover`. Offsets are committed after the effects, so messages come again.
Every step between two of these is an await that lets others run: whoever drives the coroutines decides who does, and who dies there.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from shared.events.envelope import Meta, Record
from shared.kernel.journal import JournalRow, SignedHead, roll
from shared.store.port import Collection, Commit, DeadLetter, Key, Lost, Stored, Write

_meta = msgspec.json.Decoder(Meta)


@dataclass(slots=True)
class _Kept:
    stored: Stored
    single: dict[str, Any]
    many: dict[str, tuple[Any, ...]]


@dataclass
class Database:
    """One service's, as it survives a crash. `pending`: events not known to be published, oldest first."""

    collections: dict[str, Collection]
    documents: dict[str, dict[Key, _Kept]] = field(default_factory=lambda: defaultdict(dict))
    journal: list[JournalRow] = field(default_factory=list)
    pending: list[JournalRow] = field(default_factory=list)
    positions: dict[str, int] = field(default_factory=dict)
    dead: dict[str, DeadLetter] = field(default_factory=dict)
    heads: dict[int, SignedHead] = field(default_factory=dict)


class Memory:
    """All databases, the log and the groups' offsets. Without `rng` everything keeps the order in which it was asked.

    `together`: as in the embedded runtime, where a commit is one step with its events and how far it has read.
    """

    def __init__(self, partitions: int = 4, rng: random.Random | None = None, *, together: bool = False) -> None:
        self.partitions, self.rng, self.together = partitions, rng, together
        self.databases: dict[str, Database] = {}
        self.log: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.offsets: dict[str, int] = {}
        self.generations: Counter[str] = Counter()  # group -> how often its partitions were dealt out
        self._members: dict[str, list[object]] = defaultdict(list)
        self.moves = 0  # grows with everything that somebody may be waiting for
        self.at = ""  # what the last step was in the middle of
        self._waiting: set[asyncio.Event] = set()

    def database(self, service: str, collections: Iterable[Collection]) -> Database:
        """A service's database, made at its first opening."""
        if service not in self.databases:
            self.databases[service] = Database({c.kind: c for c in collections})
        return self.databases[service]

    def append(self, row: JournalRow) -> None:
        """An event to its partitions."""
        for partition in row.partitions:
            log = self.log[row.topic or "", partition]
            meta, data = _meta.decode(row.meta), row.data or b"null"
            log.append(Record(topic=row.topic or "", partition=partition, position=len(log) + 1, meta=meta, data=data))

    def enter(self, group: str, member: object) -> None:
        """One more reads for a group."""
        self._members[group].append(member)
        self.deal(group)

    def leave(self, group: str, member: object) -> None:
        """One less; nothing where it is gone already."""
        if member in self._members[group]:
            self._members[group].remove(member)
            self.deal(group)

    def deal(self, group: str) -> None:
        """The group's partitions are dealt out anew; with a generator in any way, else in the order in which its members came."""
        self.generations[group] += 1
        if self.rng:
            self.rng.shuffle(self._members[group])
        self.moved()

    def dealt(self, group: str, member: object) -> frozenset[int]:
        """The partition numbers of a member."""
        members = self._members[group]
        return frozenset(p for p in range(self.partitions) if self.together or members[p % len(members)] is member)

    async def step(self, at: str = "") -> None:
        """Here others may run, and a crash may come: before, between or after the parts of what `at` names."""
        self.at = at
        await asyncio.sleep(0)

    def moved(self) -> None:
        """Wakes whoever waits."""
        self.moves += 1
        for event in self._waiting:
            event.set()

    async def wait(self, seconds: float) -> None:
        """Until something moves, at most so long."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            async with asyncio.timeout(seconds):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting.discard(event)


class MemoryStore:
    """See shared.store.port.Store. `whole`: a commit is one step, as in a database with transactions."""

    def __init__(self, memory: Memory, name: str, collections: Iterable[Collection], *, whole: bool = False) -> None:
        self.name, self._memory, self._whole = name, memory, whole or memory.together
        self._data = memory.database(name, collections)

    async def commit(self, commit: Commit) -> list[Lost]:
        writes = list(commit.writes)
        if self._memory.rng and not self._whole:
            kinds = list(dict.fromkeys(write.kind for write in writes))  # one after the other, each in any order: as MongoDB is written to
            self._memory.rng.shuffle(writes)
            writes.sort(key=lambda write: kinds.index(write.kind))
        lost: list[Lost] = []
        await self._memory.step("commit")
        for write in writes:
            why = self._write(write)
            if why:
                lost.append(why)
            if not self._whole:
                await self._memory.step("commit")
        if not lost:
            self._data.positions.update(commit.consumed)
            if self._memory.together:
                self._memory.offsets.update({name: at for name, at in commit.consumed.items() if name.count("/") == 2})  # of the log
            self._data.dead.update({d.id: d for d in commit.dead})
            for id_ in commit.replayed:
                self._data.dead[id_] = msgspec.structs.replace(self._data.dead[id_], state="replayed")
        if self._whole:
            await self._memory.step("commit")
        if commit:
            self._memory.moved()
        return lost

    def _write(self, w: Write) -> Lost | None:
        """One conditional write: document, its fields, its events."""
        kept = self._data.documents[w.kind]
        old = kept.get((w.tenant, w.id))
        if (old.stored.version if old else 0) != w.expected:
            return Lost(w.kind, w.tenant, w.id, "version")
        many = w.many if w.many is not None else old.many if old else {}
        for name in (f.name for f in self._data.collections[w.kind].fields if f.unique):
            mine = set(many.get(name, ())) | ({w.single[name]} if w.single.get(name) is not None else set())
            if mine and any(mine & _values(k, name) for (tenant, id_), k in kept.items() if tenant == w.tenant and id_ != w.id):
                return Lost(w.kind, w.tenant, w.id, "taken", name)
        kept[w.tenant, w.id] = _Kept(Stored(w.tenant, w.id, w.version, w.state, w.head, w.notes, w.wake_at), w.single, many)
        self._data.journal += w.rows
        for row in w.rows:
            if self._memory.together:
                self._memory.append(row)
            elif row.topic:
                self._data.pending.append(row)
        return None

    async def load(self, kind: str, keys: Sequence[Key]) -> dict[Key, Stored]:
        await self._memory.step()
        kept = self._data.documents[kind]
        return {key: kept[key].stored for key in keys if key in kept}

    async def find(
        self, kind: str, tenant: str, where: Mapping[str, Any], *, after: str = "", limit: int = 50, contains: tuple[str, str] | None = None
    ) -> list[Stored]:
        await self._memory.step()
        return [s for s in self._where(kind, tenant, where, contains) if s.id > after][:limit]

    def _where(self, kind: str, tenant: str, where: Mapping[str, Any], contains: tuple[str, str] | None) -> list[Stored]:
        found = [
            k.stored
            for key, k in self._data.documents[kind].items()
            if key[0] == tenant
            and all(value in _values(k, name) for name, value in where.items())
            and (contains is None or contains[1] in (k.single[contains[0]] or ""))
        ]
        return sorted(found, key=lambda s: s.id)

    async def ordered(
        self, kind: str, tenant: str, name: str, *, begins: str = "", after: tuple[str, str] | None = None, limit: int = 50
    ) -> list[Stored]:
        await self._memory.step()
        kept = [(k.single[name], key[1], k.stored) for key, k in self._data.documents[kind].items() if key[0] == tenant and k.single[name]]
        found = sorted(one for one in kept if one[0].startswith(begins) and (after is None or one[:2] > after))
        return [stored for _, _, stored in found[:limit]]

    async def resolve(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, str]:
        return {value: s.id for value, s in (await self._any(kind, tenant, name, values)).items()}

    async def find_any(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, bytes]:
        return {value: s.state for value, s in (await self._any(kind, tenant, name, values)).items()}

    async def _any(self, kind: str, tenant: str, name: str, values: Sequence[str]) -> dict[str, Stored]:
        await self._memory.step()
        asked = set(values)
        kept = [k for key, k in self._data.documents[kind].items() if key[0] == tenant]
        return {value: k.stored for k in kept for value in asked & _values(k, name)}

    async def count(self, kind: str, tenant: str, where: Mapping[str, Any]) -> int:
        return len(self._where(kind, tenant, where, None))

    async def untold(self, older_s: float = 0.0) -> int:
        return 0

    async def due(self, kind: str, now: float, limit: int) -> list[Stored]:
        await self._memory.step()
        found = [(k.stored.wake_at, k.stored) for k in self._data.documents[kind].values() if k.stored.wake_at is not None]
        return [s for at, s in sorted(found, key=lambda pair: pair[0]) if at <= now][:limit]

    async def next_alarm(self) -> float | None:
        every = (k.stored.wake_at for kept in self._data.documents.values() for k in kept.values())
        return min((at for at in every if at is not None), default=None)

    async def positions(self, prefix: str) -> dict[str, int]:
        return {name: at for name, at in self._data.positions.items() if name.startswith(prefix)}

    async def history(
        self, kind: str, tenant: str, subject: str, *, after: tuple[int, int] = (0, -1), limit: int = 500
    ) -> list[JournalRow]:
        rows = [r for r in self._data.journal if (r.kind, r.tenant, r.subject) == (kind, tenant, subject) and (r.version, r.n) > after]
        return [_read(r) for r in sorted(rows, key=lambda r: (r.version, r.n))[:limit]]

    async def journal(self, after: int = 0) -> AsyncIterator[tuple[int, JournalRow]]:
        for seq, row in enumerate(self._data.journal[after:], after + 1):
            yield seq, _read(row)

    async def documents(self, kind: str) -> AsyncIterator[Stored]:
        for kept in list(self._data.documents[kind].values()):
            yield kept.stored

    async def heads(self, *, last: int | None = None, before: str | None = None) -> list[SignedHead]:
        found = [head for _, head in sorted(self._data.heads.items()) if before is None or head.signed_at < before]
        return found if last is None else found[-last:]

    async def add_head(self, head: SignedHead) -> None:
        self._data.heads.setdefault(head.seq, head)

    async def rolled(self, after: int, digest: bytes) -> tuple[int, bytes]:
        for r in self._data.journal[after:]:
            digest = roll(digest, r.hash)
        return len(self._data.journal), digest

    async def erase(self, kind: str, tenant: str, subject: str) -> int:
        erased = 0
        for at, r in enumerate(self._data.journal):
            if (r.kind, r.tenant, r.subject) == (kind, tenant, subject):
                self._data.journal[at] = msgspec.structs.replace(r, data=None)
                erased += 1
        return erased

    async def dead_letters(self, *, state: str | None = None, after: str = "", limit: int = 50) -> list[DeadLetter]:
        found = sorted((d for d in self._data.dead.values() if d.id > after and state in (None, d.state)), key=lambda d: d.id)
        return found[:limit]

    async def mark_dead_letter(self, dead_letter_id: str, state: str) -> bool:
        known = self._data.dead.get(dead_letter_id)
        if known is None or known.state == "replayed":
            return False
        self._data.dead[dead_letter_id] = msgspec.structs.replace(known, state=state)
        self._memory.moved()
        return True

    async def close(self) -> None:
        """Nothing is held."""


def _values(kept: _Kept, name: str) -> set[Any]:
    """The values of a field, which is of one kind or the other."""
    return set(kept.many[name]) if name in kept.many else {kept.single.get(name)}


def _read(row: JournalRow) -> JournalRow:
    """As a journal gives it: where it was published is no part of it."""
    return msgspec.structs.replace(row, topic=None, partitions=(), key=None)
