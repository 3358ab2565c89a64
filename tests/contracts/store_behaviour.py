"""What every store promises. An adapter's tests inherit this class and those of handles_behaviour.py, and give
the fixture `adapter`."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec
import pytest

from shared.bus.port import Bus
from shared.events.envelope import Meta, encode
from shared.kernel.journal import GENESIS, JournalRow, SignedHead, link, payload_digest, roll
from shared.store.port import Collection, Commit, DeadLetter, Field, Lost, Store, Write

THINGS = Collection(
    "thing",
    (Field("colour"), Field("size"), Field("title"), Field("number", many=True, unique=True), Field("serial", unique=True), Field("tag", many=True), Field("turn", ordered=True)),
)  # fmt: skip
OTHERS = Collection("other")
_AT = datetime(2026, 1, 1, tzinfo=UTC)


class Adapter(Protocol):
    """How a test gets at an adapter. Each `open` is a handle of its own on the same data, as another process would have."""

    async def open(self, service: str, collections: Sequence[Collection] = (THINGS, OTHERS)) -> tuple[Store, Bus]:
        """A service's store and the bus as that service reads it."""
        ...

    async def forget(self, service: str, group: str) -> None:
        """The group's positions are lost."""
        ...


def row(
    kind: str, id_: str, version: int, n: int = 0, *, tenant: str = "t", topic: str | None = None, partitions: tuple[int, ...] = (0,),
    head: bytes = b"", data: bytes = b"{}", key: str | None = None,
) -> JournalRow:  # fmt: skip
    """A journal entry as the kernel would make it."""
    meta = encode(
        Meta(
            id=f"evt-{tenant}-{kind}-{id_}-{version}-{n}", source="/services/test", type="test.v1", subject=id_,
            time=_AT, tenant=tenant, sequence=version, n=n, kind=kind, partitionkey=id_,
        )
    )  # fmt: skip
    salt = b"0123456789abcdef"
    digest = payload_digest(salt, data)
    return JournalRow(
        kind, tenant, id_, version, n, "test.v1", meta, data, salt, digest, link(head, meta, digest),
        topic, partitions if topic else (), key,
    )  # fmt: skip


def write(
    id_: str, expected: int = 0, *, kind: str = "thing", tenant: str = "t", state: bytes = b"{}", wake_at: float | None = None,
    many: dict[str, tuple[str, ...]] | None = None, events: int = 1, topic: str | None = None, partitions: tuple[int, ...] = (0,),
    key: str | None = None, data: bytes = b"{}", **single: Any,
) -> Write:  # fmt: skip
    """A write of a document from version `expected` to the next; `many` fields that are not named are empty where it is new."""
    version, rows, head = expected + 1, [], b""
    for n in range(events):
        rows.append(row(kind, id_, version, n, tenant=tenant, topic=topic, partitions=partitions, head=head, data=data, key=key))
        head = rows[-1].hash
    if kind == "thing":
        single = {"colour": None, "size": None, "title": None, "serial": None, "turn": None, **single}
        if many is not None or not expected:
            many = {"number": (), "tag": (), **(many or {})}
    else:
        many = {} if not expected else None
    return Write(kind, tenant, id_, expected, version, state, head, b"", wake_at, single, many, rows)


def letter(id_: str, state: str = "dead", group: str = "g") -> DeadLetter:
    return DeadLetter(
        id=id_, group=group, topic="ratings", partition=0, position=1, tenant="t", type="x", meta=b"{}", data=b"{}", error="E", at="",
        attempts=5, state=state,
    )  # fmt: skip


async def versions(store: Store, *ids: str, kind: str = "thing", tenant: str = "t") -> list[int | None]:
    found = await store.load(kind, [(tenant, i) for i in ids])
    return [found[tenant, i].version if (tenant, i) in found else None for i in ids]


async def seqs(store: Store, after: int = 0) -> list[tuple[int, str, int]]:
    return [(seq, r.subject, r.version) async for seq, r in store.journal(after)]


class StoreBehaviour:
    """One handle."""

    @pytest.fixture
    async def store(self, adapter: Adapter) -> Store:
        return (await adapter.open("onboarding"))[0]

    async def test_a_new_document_and_its_next_version(self, store: Store) -> None:
        assert await store.commit(Commit([write("a", state=b'{"x":1}', colour="red", wake_at=7.5)])) == []
        found = (await store.load("thing", [("t", "a"), ("t", "b"), ("u", "a")]))["t", "a"]
        assert (found.version, found.state, found.wake_at) == (1, b'{"x":1}', 7.5)
        assert await store.commit(Commit([write("a", 1, state=b'{"x":2}', colour="red")])) == []
        found = (await store.load("thing", [("t", "a")]))["t", "a"]
        assert (found.version, found.state, found.wake_at) == (2, b'{"x":2}', None)
        assert found.head == (await store.history("thing", "t", "a"))[-1].hash

    async def test_a_lost_race(self, store: Store) -> None:
        await store.commit(Commit([write("a"), write("a2")]))
        assert await store.commit(Commit([write("a")])) == [Lost("thing", "t", "a", "version")]
        assert await store.commit(Commit([write("a", 2)])) == [Lost("thing", "t", "a", "version")]
        assert await store.commit(Commit([write("none", 1)])) == [Lost("thing", "t", "none", "version")]
        assert await versions(store, "a", "none") == [1, None]
        assert [s for _, s, _ in await seqs(store)] == ["a", "a2"]

    @pytest.mark.parametrize("field", ["number", "serial"])
    async def test_a_unique_value_belongs_to_one(self, store: Store, field: str) -> None:
        def having(id_: str, expected: int, tenant: str = "t") -> Write:
            if field == "serial":
                return write(id_, expected, tenant=tenant, serial="n1")
            return write(id_, expected, tenant=tenant, many={"number": ("n1", f"own {id_}")})

        assert await store.commit(Commit([having("a", 0), having("a", 0, tenant="u"), write("c")])) == []
        assert await store.commit(Commit([having("b", 0)])) == [Lost("thing", "t", "b", "taken", field)]
        assert await store.commit(Commit([having("c", 1)])) == [Lost("thing", "t", "c", "taken", field)]
        assert await versions(store, "a", "b", "c") == [1, None, 1]
        given_up = write("a", 1, many={"number": ()})
        assert await store.commit(Commit([given_up])) == []
        assert await store.commit(Commit([having("b", 0)])) == []

    async def test_what_holds_is_written_and_nothing_consumed(self, store: Store) -> None:
        await store.commit(Commit([write("a"), write("b")], dead=[letter("kept", "replaying")]))
        commit = Commit([write("a", 1), write("b"), write("new"), write("b2", 4)], {"g/x/0": 9}, [letter("d")], ["kept"])
        assert {(x.id, x.reason) for x in await store.commit(commit)} == {("b", "version"), ("b2", "version")}
        assert await versions(store, "a", "b", "new", "b2") == [2, 1, 1, None]
        assert sorted(s for _, s, _ in await seqs(store)) == ["a", "a", "b", "new"]
        assert await store.positions("g/") == {}
        assert [(d.id, d.state) for d in await store.dead_letters()] == [("kept", "replaying")]

    async def test_a_commit_without_writes_or_with_nothing(self, store: Store) -> None:
        assert await store.commit(Commit()) == []
        assert await store.commit(Commit(consumed={"g/x/0": 3, "g/x/1": 4, "gg/x/0": 5})) == []
        assert await store.commit(Commit(consumed={"g/x/0": 6})) == []
        assert await store.positions("g/") == {"g/x/0": 6, "g/x/1": 4}
        assert await store.positions("") == {"g/x/0": 6, "g/x/1": 4, "gg/x/0": 5}
        assert await seqs(store) == []

    async def test_several_values_of_a_field_follow_the_document(self, store: Store) -> None:
        await store.commit(Commit([write("a", many={"tag": ("x", "y"), "number": ("1",)}), write("b", many={"tag": ("y",)})]))
        assert [s.id for s in await store.find("thing", "t", {"tag": "y"})] == ["a", "b"]
        await store.commit(Commit([write("a", 1)]))  # None: as they were
        assert [s.id for s in await store.find("thing", "t", {"tag": "x"})] == ["a"]
        await store.commit(Commit([write("a", 2, many={"tag": ("z",)})]))
        assert [s.id for s in await store.find("thing", "t", {"tag": "x"})] == []
        assert [s.id for s in await store.find("thing", "t", {"tag": "z"})] == ["a"]
        assert await store.resolve("thing", "t", "number", ["1"]) == {}

    async def test_many_values_are_resolved_at_once(self, store: Store) -> None:
        await store.commit(Commit([write(f"d{i:04}", state=b'{"i":%d}' % i, many={"number": (f"n{i}", f"m{i}")}) for i in range(1000)]))
        asked = [f"n{i}" for i in range(0, 1000, 2)] + ["unknown"]
        assert await store.resolve("thing", "t", "number", asked) == {f"n{i}": f"d{i:04}" for i in range(0, 1000, 2)}
        assert await store.find_any("thing", "t", "number", ["m7", "n7", "unknown"]) == {"m7": b'{"i":7}', "n7": b'{"i":7}'}
        assert await store.resolve("thing", "u", "number", asked) == {}
        assert await store.find_any("thing", "u", "number", asked) == {}
        assert len(await store.load("thing", [("t", f"d{i:04}") for i in range(1000)])) == 1000

    async def test_finding_paging_counting(self, store: Store) -> None:
        writes = [write(f"d{i}", colour="red" if i % 2 else "blue", size=i // 5, title=f"the {i}th") for i in range(10)]
        await store.commit(Commit([*writes, write("d1", tenant="u", colour="red")]))
        assert [s.id for s in await store.find("thing", "t", {}, limit=4)] == ["d0", "d1", "d2", "d3"]
        assert [s.id for s in await store.find("thing", "t", {}, after="d7", limit=4)] == ["d8", "d9"]
        assert [s.id for s in await store.find("thing", "t", {"colour": "red", "size": 1})] == ["d5", "d7", "d9"]
        assert [s.id for s in await store.find("thing", "t", {"colour": "red"}, after="d3", limit=1)] == ["d5"]
        assert [s.id for s in await store.find("thing", "t", {"colour": "blue"}, contains=("title", "4th"))] == ["d4"]
        assert [s.id for s in await store.find("thing", "t", {}, contains=("title", "%"))] == []
        assert await store.count("thing", "t", {"colour": "red"}) == 5
        assert await store.count("thing", "t", {}) == 10
        assert await store.count("thing", "u", {"colour": "blue"}) == 0
        assert [s.tenant for s in await store.find("thing", "u", {"colour": "red"})] == ["u"]
        assert [(s.tenant, s.id) async for s in store.documents("thing")].count(("u", "d1")) == 1

    async def test_reading_in_the_order_of_a_field(self, store: Store) -> None:
        turns = {"a": "open/2", "b": "open/1", "c": "open/1", "d": "openly/0", "e": "late/9", "f": None}
        await store.commit(Commit([*(write(id_, turn=turn) for id_, turn in turns.items()), write("z", tenant="t2", turn="open/0")]))

        async def ids(begins: str = "", after: tuple[str, str] | None = None, limit: int = 50, tenant: str = "t") -> list[str]:
            return [s.id for s in await store.ordered("thing", tenant, "turn", begins=begins, after=after, limit=limit)]

        assert await ids() == ["e", "b", "c", "a", "d"]
        assert await ids("open/") == ["b", "c", "a"]
        assert await ids("open/", limit=2) == ["b", "c"]
        assert await ids("open/", ("open/1", "b")) == ["c", "a"]
        assert await ids("open/", ("open/1", "zz")) == ["a"]
        assert await ids("open/", ("open/2", "a")) == []
        assert await ids(after=("late/9", "e")) == ["b", "c", "a", "d"]
        assert await ids("open/", tenant="t2") == ["z"]
        await store.commit(Commit([write("b", 1, turn=None), write("a", 1, turn="open/0")]))
        assert await ids("open/") == ["a", "c"]

    async def test_alarms(self, store: Store) -> None:
        assert await store.next_alarm() is None
        await store.commit(Commit([write("a", wake_at=30.0), write("b", wake_at=10.0, tenant="u"), write("c", wake_at=20.0), write("d")]))
        await store.commit(Commit([write("o", kind="other", wake_at=5.0)]))
        assert [s.id for s in await store.due("thing", 25.0, 10)] == ["b", "c"]
        assert [s.id for s in await store.due("thing", 30.0, 2)] == ["b", "c"]
        assert await store.next_alarm() == 5.0
        await store.commit(Commit([write("o", 1, kind="other"), write("c", 1, wake_at=40.0)]))
        assert [s.id for s in await store.due("thing", 35.0, 10)] == ["b", "a"]
        assert await store.next_alarm() == 10.0

    async def test_a_history_is_of_one_aggregate(self, store: Store) -> None:
        await store.commit(Commit([write("a", events=2), write("a", tenant="u"), write("a", kind="other"), write("b")]))
        await store.commit(Commit([write("a", 1, events=3)]))
        rows = await store.history("thing", "t", "a")
        assert [(r.version, r.n) for r in rows] == [(1, 0), (1, 1), (2, 0), (2, 1), (2, 2)]
        assert [(r.version, r.n) for r in await store.history("thing", "t", "a", after=(1, 1), limit=2)] == [(2, 0), (2, 1)]
        assert len(await store.history("thing", "u", "a")) == len(await store.history("other", "t", "a")) == 1
        assert rows[0].hash == link(b"", rows[0].meta, rows[0].digest)

    async def test_the_journal_has_no_gaps_and_keeps_its_order(self, store: Store) -> None:
        for version in range(3):
            await store.commit(Commit([write(f"d{i:04}", version) for i in range(900)]))
            await store.commit(Commit([write("d0000", 7)]))  # lost: no number is spent on it
        found = await seqs(store)
        assert [seq for seq, _, _ in found] == list(range(1, 2701))
        per_subject = [v for _, s, v in found if s == "d0005"]
        assert per_subject == [1, 2, 3]
        assert await seqs(store, 2698) == found[2698:]

    async def test_erasing_keeps_the_chain(self, store: Store) -> None:
        await store.commit(Commit([write("a", events=2, data=b'{"who":"x"}'), write("b"), write("a", tenant="u")]))
        before = await store.history("thing", "t", "a")
        assert await store.erase("thing", "t", "a") == 2
        after = await store.history("thing", "t", "a")
        assert [r.data for r in after] == [None, None]
        assert [msgspec.structs.replace(r, data=b"") for r in after] == [
            msgspec.structs.replace(r, data=b"", topic=None, partitions=(), key=None) for r in before
        ]
        assert [r.data for r in await store.history("thing", "t", "b")] == [b"{}"]
        assert [r.data for r in await store.history("thing", "u", "a")] == [b"{}"]
        assert await versions(store, "a") == [1]

    async def test_dead_letters(self, store: Store) -> None:
        await store.commit(Commit(dead=[letter("l2"), letter("l1"), letter("l3", group="other")]))
        assert [d.id for d in await store.dead_letters()] == ["l1", "l2", "l3"]
        assert [d.id for d in await store.dead_letters(after="l1", limit=1)] == ["l2"]
        assert await store.mark_dead_letter("l2", "replaying")
        assert not await store.mark_dead_letter("l9", "replaying")
        assert [(d.id, d.state) for d in await store.dead_letters(state="replaying")] == [("l2", "replaying")]
        again = msgspec.structs.replace(letter("l2"), attempts=6)
        await store.commit(Commit(dead=[again]))
        assert await store.dead_letters(state="replaying") == []
        assert (await store.dead_letters(after="l1"))[0].attempts == 6
        await store.commit(Commit(replayed=["l2"]))
        assert [d.id for d in await store.dead_letters(state="replayed")] == ["l2"]
        assert not await store.mark_dead_letter("l2", "replaying")

    async def test_signed_heads(self, store: Store) -> None:
        first, second = SignedHead(1, b"d1", b"s1", "now"), SignedHead(9, b"d9", b"s9", "then")
        await store.add_head(second)
        await store.add_head(first)
        await store.add_head(SignedHead(9, b"forged", b"s", "later"))
        assert await store.heads() == [first, second]
        assert await store.heads(last=1) == [second]
        assert await store.heads(last=5) == [first, second]
        assert await store.heads(before="o") == await store.heads(last=1, before="o") == [first]
        assert await store.heads(last=1, before="a") == []

    async def test_the_rolling_digest_covers_the_journal_in_its_order(self, store: Store) -> None:
        """To the last entry before which none can come any more: a store may take a moment to know it."""
        await store.commit(Commit([write("a", events=2), write("b")]))
        await store.commit(Commit([write("a", 1)]))
        async with asyncio.timeout(20):
            while (await store.rolled(0, GENESIS))[0] < 4:
                await asyncio.sleep(0.1)
        digest, at_two = GENESIS, b""
        async for seq, r in store.journal():
            digest = roll(digest, r.hash)
            at_two = digest if seq == 2 else at_two
        assert await store.rolled(0, GENESIS) == await store.rolled(2, at_two) == (4, digest)
        assert await store.rolled(4, digest) == (4, digest)
