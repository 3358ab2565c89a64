"""Verification of a journal in MongoDB: the tampering that it must see there, and what a dead writer leaves, which is none."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from bson import Timestamp
from pymongo import AsyncMongoClient, MongoClient

from services.runtime.checking import KeptHead, Verified
from services.runtime.housekeeping import sign_head
from services.runtime.signing import HeadSigner
from services.runtime.verification_servers import InDatabase, verify_servers
from shared.clock import FakeClock
from shared.ids import RandomIds
from shared.kernel.aggregate import Aggregate, Cause, Decided, Item, Message
from shared.kernel.kernel import Kernel
from shared.kernel.service import Service
from shared.settings import Settings
from shared.store import mongo_journal
from shared.store.mongo import MongoStore, closed
from tests.faults.memory import Memory
from tests.faults.memory_bus import MemoryBus
from tests.unit.kernel_setting import Told, Words

pytestmark = pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # as in test_mongo_adapter.py


def _twice(state: Words | None, message: Message, _now: object) -> Decided[Words]:
    before = state.said if state else ()
    return Decided(Words((*before, message.body)), [Told(word=message.body), Told(word="again")])


WORDS: Aggregate[Words] = Aggregate("words", Words, _twice)
SERVICE = Service("onboarding", (WORDS,))


class Database:
    """Three aggregates of two versions, two entries each; a head is signed over the first eight of twelve."""

    def __init__(self, uri: str, folder: Path) -> None:
        name = f"t{secrets.token_hex(4)}"
        self.settings = Settings(data=folder, bus="kafka://127.0.0.1:9", store=uri.replace("/?", f"/{name}?"))
        self.name = f"{name}_onboarding"
        self.client: Any = AsyncMongoClient(uri)
        self.memory = Memory()
        self.memory.database("onboarding", SERVICE.collections())
        self.signer = HeadSigner(folder / "keys")
        self.open()

    def open(self) -> None:
        """As another process does."""
        self.store = MongoStore(self.client, "onboarding", SERVICE.collections(), database=self.name)
        self.kernel = Kernel("onboarding", self.store, MemoryBus(self.memory, "onboarding"), FakeClock(), RandomIds())

    async def fill(self) -> None:
        await self.store.migrate()
        for word in ("one", "two"):
            for id_ in "abc":
                await self.say(id_, word)
                if (id_, word) == ("a", "two"):
                    await sign_head(self.store, self.signer, FakeClock().now())

    async def say(self, id_: str, word: str) -> None:
        await self.kernel.execute(Item(WORDS, "t", id_, Message(word, Cause(f"c {id_} {word}", "test"))))

    def look(self, *kept: KeptHead) -> Verified:
        (found,) = verify_servers(self.settings, kept, [SERVICE])
        return found

    def change(self, how: Callable[[Any], object]) -> None:
        """By somebody who may write to the database."""
        with MongoClient[Any](self.settings.store) as client:
            how(client[self.name])


@pytest.fixture
async def database(mongo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Database]:
    monkeypatch.setattr(mongo_journal, "_SETTLED_S", -5.0)  # a head at once: nobody else writes here
    made = Database(mongo, tmp_path)
    await made.fill()
    yield made
    await made.store.close()
    await made.client.drop_database(made.name)
    await closed(made.client)


async def test_what_nobody_touched_holds(database: Database) -> None:
    assert database.look() == Verified("onboarding", entries=12, aggregates=3, heads=1, unsigned=4, erased=0, faults=[])
    await database.store.erase("words", "t", "a")
    assert database.look() == Verified("onboarding", entries=12, aggregates=3, heads=1, unsigned=4, erased=4, faults=[])


async def test_entries_of_a_dead_writer_are_part_of_their_chain(database: Database) -> None:
    async def nothing(*_: Any) -> None:
        """The journal that it never wrote."""

    database.store._journal.keep = nothing
    await database.say("b", "three")
    await database.say("d", "first")
    assert database.look() == Verified("onboarding", entries=14, aggregates=4, heads=1, unsigned=6, erased=0, faults=[])


B, FIRST, SECOND = {"i": "b"}, {"subject": "a", "version": 2, "n": 0}, {"subject": "b", "version": 2, "n": 0}
SIX = b'{"word":"six"}'
TAMPERED: dict[str, tuple[Callable[[Any], object], str]] = {
    "a payload": (lambda db: db.journal.update_one(FIRST, {"$set": {"data": SIX}}), "the payload is not what was written"),
    "a first payload": (lambda db: db.words.update_one(B, {"$set": {"first.0.data": SIX}}), "the payload is not what was written"),
    "an entry out": (lambda db: db.journal.delete_one(FIRST), "the entries up to 8 are not those that were signed"),
    "a first entry out": (lambda db: db.words.update_one(B, {"$pull": {"first": {"n": 0}}}), "the entries up to 8 are not those that were signed"),
    "signed entries out": (lambda db: db.journal.delete_many({}), "were signed, and the journal ends at 6"),
    "an unsigned entry out": (
        lambda db: (db.outbox.delete_many({}), db.journal.delete_one(SECOND)),  # told long ago
        "does not follow version 1.1",
    ),
    "two entries swapped": (
        lambda db: db.journal.update_one(FIRST, {"$set": {"ts": db.journal.find_one({"subject": "c", "version": 2, "n": 1})["ts"]}}),
        "the entries up to 8 are not those that were signed",
    ),
    "first entries swapped": (
        lambda db: db.words.update_one(B, {"$set": {"ts": db.journal.find_one(FIRST)["ts"]}}),
        "the entries up to 8 are not those that were signed",
    ),
    "a hash": (lambda db: db.journal.update_one(FIRST, {"$set": {"hash": bytes(32)}}), "the chain is broken"),
    "a first hash": (lambda db: db.words.update_one(B, {"$set": {"first.0.hash": bytes(32)}}), "the chain is broken"),
    "a document put back": (
        lambda db: db.words.update_one(B, {"$set": {"v": 1, "h": db.words.find_one(B)["first"][1]["hash"]}}),
        "words b is not as the journal says",
    ),
    "a document's state": (lambda db: db.words.update_one({"i": "b"}, {"$set": {"s": b'{"said":["six"]}'}}), "the state of words b is not"),
    "a document gone": (lambda db: db.words.delete_one(B), "the document of words b is gone"),
    "a document made up": (
        lambda db: db.words.insert_one({**db.words.find_one(B, {"first": 0, "ts": 0}), "_id": "t\x1fx", "i": "x"}),
        "words x stands in no journal",
    ),
    "a document taken for another": (
        lambda db: db.words.insert_one({**db.words.find_one(B), "_id": "t\x1fx", "i": "x", "ts": Timestamp(0, 0)}),
        "was written of another aggregate",
    ),
    "a head forged": (lambda db: db.head.update_one({}, {"$set": {"signature": bytes(64)}}), "the signature of the head at entry 8 is not ours"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
async def test_tampering_is_seen(database: Database, what: str) -> None:
    how, told = TAMPERED[what]
    database.change(how)
    assert any(told in fault for fault in database.look().faults), database.look().faults


async def test_what_is_wrong_in_a_chain_finds_room_beside_the_heads(database: Database) -> None:
    """All heads behind it do not hold either, and only so many faults are told."""
    for n in range(25):
        await database.say("c", f"again {n}")
        await sign_head(database.store, database.signer, FakeClock().now())
    database.change(lambda db: db.journal.update_one(FIRST, {"$set": {"hash": bytes(32)}}))
    faults = database.look().faults
    assert [fault for fault in faults if "signed" in fault] == ["onboarding: the entries up to 8 are not those that were signed"]
    assert any("the chain is broken" in fault for fault in faults)


async def test_a_head_kept_elsewhere_shows_a_database_put_back(database: Database) -> None:
    (head,) = await database.store.heads()
    assert database.look(KeptHead("onboarding", 8, head.digest.hex())).faults == []
    assert database.look(KeptHead("onboarding", 8, "00" * 32)).faults != []
    assert database.look(KeptHead("onboarding", 99, "00" * 32)).faults != []


async def test_what_is_written_meanwhile_is_no_fault(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two looks: documents beyond their chain, chains beyond their document, aggregates that were not there; by writers that live and die."""
    written = itertools.count()
    walk = InDatabase.document

    def busy(self: InDatabase, *place: str) -> Any:
        asyncio.run_coroutine_threadsafe(more(), loop).result(10)
        return walk(self, *place)

    async def more() -> None:
        n = next(written)
        database.open()
        if n % 2:
            database.store._journal.keep = nothing
        for id_ in ("a", "b", "c", f"{'abc'[n % 3]}{n}"):
            await database.say(id_, f"more {n}")

    async def nothing(*_: Any) -> None:
        """The journal of a writer that dies."""

    monkeypatch.setattr(InDatabase, "document", busy)
    loop = asyncio.get_running_loop()
    found = await asyncio.to_thread(database.look)
    assert found.faults == []
    assert next(written) >= 3
