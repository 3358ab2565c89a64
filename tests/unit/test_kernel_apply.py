"""The kernel: folding, watermarks, Idempotency-Keys, If-Match, lost races, refusals, strict mode."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.bus.embedded import EmbeddedBus
from shared.bus.nudge import Nudges
from shared.clock import FakeClock
from shared.errors import Conflict, Invalid, PreconditionFailed, TooLarge, Unavailable
from shared.events.envelope import Meta, Payload, event
from shared.ids import RandomIds
from shared.kernel.aggregate import Aggregate, Cause, Decided, Document, Index, Item, Message
from shared.kernel.journal import link
from shared.kernel.kernel import LARGEST, Kernel
from shared.kernel.service import Service
from shared.store.embedded import EmbeddedStore
from shared.store.port import Collection, Commit, DeadLetter, Lost


@event("test.kernel_noted.v1", None)
class Noted(Payload, frozen=True, kw_only=True):
    word: str


class Words(msgspec.Struct, frozen=True):
    said: tuple[str, ...]
    name: str = ""


class Say(msgspec.Struct, frozen=True):
    word: str
    name: str = ""
    events: int = 1


def _decide(state: Words | None, message: Message, _now: datetime) -> Decided[Words] | None:
    said = message.body
    if said.word == "nothing":
        return None
    if said.word == "bad":
        raise Invalid("Not that word")
    if said.word == "broken":
        raise ZeroDivisionError
    before = state or Words(())
    return Decided(Words((*before.said, said.word), said.name or before.name), [Noted(word=said.word)] * said.events)


WORDS: Aggregate[Words] = Aggregate(
    "words", Words, _decide, indexes=(Index("name", lambda s: [s.name] if s.name else [], many=True, unique=True),)
)
_cause = iter(range(1_000_000))


def say(
    id_: str, word: str, *, source: tuple[str, int, int] | None = None, name: str = "", events: int = 1, tenant: str = "t", **message: Any
) -> Item:
    name_, sequence, n = source or ("", 0, 0)
    cause = Cause(f"c{next(_cause)}", "test", source=name_, sequence=sequence, n=n)
    return Item(WORDS, tenant, id_, Message(Say(word, name, events), cause, **message))


class Setting:
    def __init__(self, folder: Path) -> None:
        self.clock, self.nudges = FakeClock(), Nudges(folder / "run", "test")
        self.store = EmbeddedStore(folder / "onboarding.db", Service("onboarding", (WORDS,)).collections())
        self.kernel = Kernel("onboarding", self.store, EmbeddedBus(folder, self.nudges, self.store, 4), self.clock, RandomIds())

    async def said(self, id_: str) -> tuple[str, ...] | None:
        found = await self.kernel.get(WORDS, "t", id_)
        return found.state.said if found else None

    async def entries(self) -> list[tuple[str, int, int]]:
        return [(r.subject, r.version, r.n) async for _, r in self.store.journal()]


@pytest.fixture
async def s(tmp_path: Path) -> AsyncIterator[Setting]:
    setting = Setting(tmp_path)
    yield setting
    await setting.store.close()
    setting.nudges.close()


async def test_messages_of_one_aggregate_are_folded_in_their_order(s: Setting) -> None:
    outcomes = await s.kernel.apply_many([say("a", "one", events=2), say("b", "x"), say("a", "nothing"), say("a", "two")])
    assert await s.said("a") == ("one", "two")
    assert [(o.changed, o.document.version if o.document else 0) for o in outcomes] == [(True, 1), (True, 1), (False, 1), (True, 2)]
    assert await s.entries() == [("a", 1, 0), ("a", 1, 1), ("a", 2, 0), ("b", 1, 0)]
    head = b""
    for row in await s.store.history("words", "t", "a"):
        assert row.hash == link(head, row.meta, row.digest)
        head = row.hash
    found = await s.kernel.get(WORDS, "t", "a")
    assert found is not None
    assert found.head == head


async def test_one_write_a_fold(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Commit] = []
    commit = s.store.commit

    async def spy(c: Commit) -> list[Lost]:
        seen.append(c)
        return await commit(c)

    monkeypatch.setattr(s.store, "commit", spy)
    await s.kernel.apply_many([say("a", str(i)) for i in range(50)], consumed={"g/x/0": 5})
    (only,) = seen
    assert [(w.id, w.expected, w.version, len(w.rows)) for w in only.writes] == [("a", 0, 50, 50)]
    await s.kernel.apply_many([say("a", "nothing")])
    await s.kernel.apply_many([])
    assert len(seen) == 1  # nothing to write: the store is not asked


async def test_what_was_seen_has_no_second_effect(s: Setting) -> None:
    source = "supplier/t/x"
    await s.kernel.apply_many([say("a", "5.0", source=(source, 5, 0)), say("a", "5.1", source=(source, 5, 1))])
    again = [say("a", "5.0", source=(source, 5, 0)), say("a", "4.9", source=(source, 4, 9)), say("a", "5.1", source=(source, 5, 1))]
    assert not any(o.changed for o in await s.kernel.apply_many(again))
    assert not any(o.changed for o in await s.kernel.apply_many(again[:1]))
    await s.kernel.apply_many([say("a", "5.2", source=(source, 5, 2)), say("a", "other", source=("supplier/t/y", 1, 0))])
    assert await s.said("a") == ("5.0", "5.1", "5.2", "other")


async def test_one_event_acts_on_every_aggregate_that_it_concerns(s: Setting) -> None:
    """Also where a part of them was written before a crash."""
    items = [say(id_, "told", source=("rating/t/x", 1, 0)) for id_ in "abc"]
    await s.kernel.apply_many(items[:1])
    await s.kernel.apply_many(items)
    assert [await s.said(id_) for id_ in "abc"] == [("told",)] * 3


async def test_a_key_gets_its_first_answer_again(s: Setting) -> None:
    def render(found: Document[Words]) -> bytes:
        return b"%d" % found.version

    first = await s.kernel.execute(say("a", "one", key="k", digest="d", answer=render))
    await s.kernel.execute(say("a", "two"))
    again = await s.kernel.execute(say("a", "one", key="k", digest="d", answer=render))
    assert (first.changed, first.answer, again.changed, again.answer) == (True, b"1", False, b"1")
    with pytest.raises(Conflict):
        await s.kernel.execute(say("a", "three", key="k", digest="other", answer=render))
    assert await s.said("a") == ("one", "two")
    both = await s.kernel.apply_many([say("b", "x", key="k", digest="d", answer=render), say("b", "x", key="k", digest="d", answer=render)])
    assert [(o.changed, o.answer) for o in both] == [(True, b"1"), (False, b"1")]


async def test_answers_are_kept_longer_than_clients_retry(s: Setting) -> None:
    await s.kernel.execute(say("a", "one", key="k1", digest="d"))
    s.clock.advance(timedelta(days=6.9).total_seconds())
    await s.kernel.execute(say("a", "two", key="k2", digest="d"))
    assert not (await s.kernel.execute(say("a", "one", key="k1", digest="d"))).changed
    s.clock.advance(timedelta(days=0.2).total_seconds())
    await s.kernel.execute(say("a", "three", key="k3", digest="d"))
    found = await s.kernel.get(WORDS, "t", "a")
    assert found is not None
    assert set(found.inbox) == {"k2", "k3"}


async def test_if_match(s: Setting) -> None:
    with pytest.raises(PreconditionFailed):
        await s.kernel.execute(say("a", "one", expected=1))
    await s.kernel.execute(say("a", "one"))
    await s.kernel.execute(say("a", "two", expected=1))
    with pytest.raises(PreconditionFailed):
        await s.kernel.execute(say("a", "three", expected=1))
    assert await s.said("a") == ("one", "two")


async def test_a_refusal_harms_no_other(s: Setting) -> None:
    outcomes = await s.kernel.apply_many([say("a", "one"), say("a", "bad"), say("b", "bad"), say("a", "two"), say("c", "x")])
    assert [type(o.error) for o in outcomes] == [type(None), Invalid, Invalid, type(None), type(None)]
    assert [await s.said(i) for i in "abc"] == [("one", "two"), None, ("x",)]


async def test_a_taken_value_is_a_refusal_of_its_own_message_alone(s: Setting) -> None:
    await s.kernel.execute(say("owner", "one", name="n"))
    items = [say("a", "before"), say("a", "wants", name="n"), say("a", "after"), say("b", "x"), say("c", "wants", name="n")]
    outcomes = await s.kernel.apply_many(items, consumed={"g/x/0": 1})
    assert [type(o.error) for o in outcomes] == [type(None), Conflict, type(None), type(None), Conflict]
    assert [await s.said(i) for i in "abc"] == [("before", "after"), ("x",), None]
    assert await s.store.positions("g/") == {"g/x/0": 1}


async def test_strict_writes_nothing_where_one_is_refused(s: Setting) -> None:
    with pytest.raises(Invalid):
        await s.kernel.apply_many([say("a", "one"), say("b", "bad")], consumed={"g/x/0": 1}, strict=True)
    assert await s.entries() == []
    assert await s.store.positions("g/") == {}


async def test_strict_consumes_nothing_where_a_value_is_taken(s: Setting) -> None:
    await s.kernel.execute(say("owner", "one", name="n"))
    with pytest.raises(Conflict):
        await s.kernel.apply_many([say("b", "wants", name="n")], consumed={"g/x/0": 1}, strict=True)
    assert await s.store.positions("g/") == {}
    assert await s.said("b") is None


async def test_a_defect_writes_nothing(s: Setting) -> None:
    with pytest.raises(ZeroDivisionError):
        await s.kernel.apply_many([say("a", "one"), say("b", "broken")], consumed={"g/x/0": 1})
    assert await s.entries() == []


class Races:
    """Lets somebody else write in between, the first so many times."""

    def __init__(self, s: Setting, times: int, other: Callable[[], Item]) -> None:
        self._commit, self._left, self._s, self._other = s.store.commit, times, s, other

    async def __call__(self, commit: Commit) -> list[Lost]:
        if self._left and commit.writes:
            self._left -= 1
            self._s.store.commit, mine = self._commit, self._s.store.commit  # type: ignore[method-assign]
            await self._s.kernel.execute(self._other())
            self._s.store.commit = mine  # type: ignore[method-assign]
        return await self._commit(commit)


async def test_a_lost_race_is_decided_again_and_the_others_stand(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    await s.kernel.execute(say("a", "first"))
    monkeypatch.setattr(s.store, "commit", Races(s, 3, lambda: say("a", "theirs")))
    dead = DeadLetter(
        id="l", group="g", topic="x", partition=0, position=1, tenant="t", type="", meta=b"", data=b"", error="", at="", attempts=1
    )
    items = [say("a", "one", events=2), say("b", "once", source=("x/t/y", 1, 0)), say("a", "two"), say("c", "bad")]
    outcomes = await s.kernel.apply_many(items, consumed={"g/x/0": 1}, dead=[dead])
    assert [o.changed for o in outcomes] == [True, True, True, False]
    assert isinstance(outcomes[3].error, Invalid)
    assert await s.said("a") == ("first", "theirs", "theirs", "theirs", "one", "two")
    assert await s.said("b") == ("once",)
    assert outcomes[2].document is not None
    assert outcomes[2].document.version == 6
    assert await s.store.positions("g/") == {"g/x/0": 1}
    assert len(await s.store.dead_letters()) == 1
    places = [(v, n) for subject, v, n in await s.entries() if subject == "a"]
    assert places == sorted(places)
    assert len(set(places)) == len(places) == 7


async def test_a_made_up_id_that_exists_is_loaded_after_the_lost_race(s: Setting) -> None:
    await s.kernel.execute(say("a", "first"))
    item = say("a", "second")
    await s.kernel.apply_many([Item(item.aggregate, item.tenant, item.id, item.message, fresh=True)])
    assert await s.said("a") == ("first", "second")


async def test_many_writers_at_once_each_get_their_turn(s: Setting) -> None:
    async with asyncio.TaskGroup() as group:
        for n in range(60):
            group.create_task(s.kernel.execute(say("a", str(n))))
    assert sorted(await s.said("a") or (), key=int) == [str(n) for n in range(60)]


async def test_a_race_without_end_is_given_up(s: Setting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s.store, "commit", Races(s, 1000, lambda: say("a", "theirs")))
    with pytest.raises(Unavailable):
        await s.kernel.execute(say("a", "mine"))


async def test_tenants_are_apart(s: Setting) -> None:
    await s.kernel.apply_many([say("a", "ours"), say("a", "theirs", tenant="u")])
    assert await s.said("a") == ("ours",)
    metas = [msgspec.json.decode(r.meta, type=Meta) async for _, r in s.store.journal()]
    assert {m.tenant for m in metas} == {"t", "u"}
    assert len({m.id for m in metas}) == 2


@event("test.kernel_told.v1", "suppliers")
class ToldAll(Payload, frozen=True, kw_only=True):
    word: str


async def test_compaction_tells_kinds_apart(s: Setting, tmp_path: Path) -> None:
    """A release and its marker bear one id: the second must not supersede the first."""

    def tell(_state: Words | None, message: Message, _now: datetime) -> Decided[Words]:
        return Decided(Words(()), [ToldAll(word=message.body.word)])

    for kind in ("release", "marker", "marker"):
        item = say("same", "x")
        store = EmbeddedStore(tmp_path / "onboarding.db", [Collection("release"), Collection("marker")])
        kernel = Kernel("onboarding", store, s.kernel.bus, s.clock, RandomIds())
        await kernel.execute(Item(Aggregate(kind, Words, tell), "t", item.id, item.message))
        await store.close()
    assert await s.store.compact("suppliers", upto=99) == 1


async def test_what_no_log_would_take_is_refused_and_harms_no_other(s: Setting) -> None:
    """A message that is larger than the broker takes would be published again and again, and hold up what is behind it."""
    outcomes = await s.kernel.apply_many([say("a", "x" * LARGEST), say("b", "short")])
    assert [type(o.error) for o in outcomes] == [TooLarge, type(None)]
    assert (await s.said("a"), await s.said("b")) == (None, ("short",))
