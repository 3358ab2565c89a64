"""Journal verification: every kind of tampering with a file that it must see, and what only heads kept elsewhere show."""

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path

import pytest

from services.cli.main import run
from services.runtime.checking import KeptHead, Verified
from services.runtime.housekeeping import sign_head
from services.runtime.node import Node
from services.runtime.processes import MODULES
from services.runtime.signing import HeadSigner
from services.runtime.verification import verify, verify_apart
from shared.clock import FakeClock
from shared.kernel.aggregate import Aggregate, Cause, Decided, Item, Message
from shared.kernel.service import Service
from shared.settings import Settings
from tests.unit.kernel_setting import Told, Words

STORE = "onboarding"


def _twice(state: Words | None, message: Message, _now: object) -> Decided[Words]:
    before = state.said if state else ()
    return Decided(Words((*before, message.body)), [Told(word=message.body), Told(word="again")])


WORDS: Aggregate[Words] = Aggregate("words", Words, _twice)


class Folder:
    """A data folder in use: three aggregates of two versions, two entries each; a head is signed over the first eight of twelve."""

    def __init__(self, path: Path) -> None:
        self.path = path
        services = [Service(name, (WORDS,)) for name in MODULES]
        self.node = Node(Settings(data=path), services, "test", clock=FakeClock())
        self.signer = HeadSigner(path / "keys")

    async def say(self, id_: str, word: str) -> None:
        await self.node.contexts[STORE].kernel.execute(Item(WORDS, "t", id_, Message(word, Cause(f"c {id_} {word}", "test"))))

    async def sign(self) -> None:
        await sign_head(self.node.stores[STORE], self.signer, self.node.clock.now())

    async def heads(self) -> list[KeptHead]:
        return [KeptHead(STORE, h.seq, h.digest.hex()) for h in await self.node.stores[STORE].heads()]

    def change(self, sql: str, store: str = STORE) -> None:
        """By somebody who has the file, while nobody looks."""
        with closing(sqlite3.connect(self.path / f"{store}.db")) as db, db:
            db.executescript(sql)

    def look(self, kept: list[KeptHead] | None = None) -> Verified:
        return next(v for v in verify(self.path, kept or ()) if v.store == STORE)


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Folder]:
    made = Folder(tmp_path / "data")
    for word in ("one", "two"):
        for id_ in "abc":
            await made.say(id_, word)
            if (id_, word) == ("a", "two"):
                await made.sign()
    yield made
    await made.node.close()


def test_what_nobody_touched_holds(folder: Folder) -> None:
    assert folder.look() == Verified(STORE, entries=12, aggregates=3, heads=1, unsigned=4, erased=0, faults=[])
    assert all(not v.faults for v in verify(folder.path))
    assert verify(folder.path / "keys") == []


FORGE = "UPDATE head SET signature = zeroblob(64)"
_AS_IT_WAS = "version = 1, state = CAST(replace(CAST(state AS TEXT), ',\"two\"', '') AS BLOB)"
QUIET = (
    "DELETE FROM journal WHERE seq > 8;"
    f"UPDATE doc_words SET {_AS_IT_WAS}, head = (SELECT hash FROM journal WHERE seq = 4) WHERE id = 'b';"
    f"UPDATE doc_words SET {_AS_IT_WAS}, head = (SELECT hash FROM journal WHERE seq = 6) WHERE id = 'c'"
)
TAMPERED = {
    "a payload": ("UPDATE journal SET data = CAST('{\"word\":\"three\"}' AS BLOB) WHERE seq = 3", "entry 3 (words b, version 1.0): the payload is not"),
    "who did it": ("UPDATE journal SET meta = CAST(replace(CAST(meta AS TEXT), 'c b one', 'c b two') AS BLOB) WHERE seq = 3", "entry 3 (words b, version 1.0): the chain"),
    "an entry out": ("DELETE FROM journal WHERE seq = 5", "entries 5 to 5 are missing"),
    "the last entries out": ("DELETE FROM journal WHERE seq > 8", "words b is not as the journal says"),
    "the last entries out, quietly": (QUIET, "entries 9 to 12 are missing"),
    "signed entries out": ("DELETE FROM journal WHERE seq > 6", "the entries up to 8 were signed, and the journal ends at 6"),
    "the beginning out": ("DELETE FROM journal WHERE seq < 3", "entries 1 to 2 are missing"),
    "an aggregate out": ("DELETE FROM journal WHERE subject = 'c'; DELETE FROM doc_words WHERE id = 'c'", "are missing"),
    "two entries swapped": (
        "UPDATE journal SET seq = 99 WHERE seq = 1; UPDATE journal SET seq = 1 WHERE seq = 3; UPDATE journal SET seq = 3 WHERE seq = 99",
        "the entries up to 8 are not those that were signed",
    ),
    "an entry of another": ("UPDATE journal SET subject = 'c', version = 3 WHERE seq = 12", "entry 12 (words c, version 3.1) does not follow"),
    "an entry in": (
        "INSERT INTO journal SELECT 13, kind, tenant, subject, 3, 0, type, meta, data, salt, digest, hash FROM journal WHERE seq = 12",
        "entry 13 (words c, version 3.0): the chain is broken",
    ),
    "a hash": ("UPDATE journal SET hash = zeroblob(32) WHERE seq = 7", "the chain is broken"),
    "a document put back": (
        "UPDATE doc_words SET version = 1, head = (SELECT hash FROM journal WHERE seq = 2) WHERE id = 'a'",
        "words a is not as the journal says",
    ),
    "a document's state": (
        "UPDATE doc_words SET state = CAST(replace(CAST(state AS TEXT), 'two', 'six') AS BLOB) WHERE id = 'b'",
        "the state of words b is not what was written",
    ),
    "a document gone": ("DELETE FROM doc_words WHERE id = 'b'", "the document of words b is gone"),
    "a document made up": ("INSERT INTO doc_words SELECT 9, 't', 'x', 1, state, head, notes, NULL FROM doc_words WHERE id = 'a'", "words x stands in no"),
    "a table gone": ("DROP TABLE doc_words", "the document of words a is gone"),
    "the journal gone": ("DROP TABLE journal", "no such table: journal"),
    "a record of nothing": ("INSERT INTO log VALUES ('ratings', 0, 77, NULL)", "1 published records have no entry"),
    "a head forged": (FORGE, "the signature of the head at entry 8 is not ours"),
    "a head of another moment": ("UPDATE head SET signed_at = '2020-01-01T00:00:00+00:00'", "the signature of the head at entry 8 is not ours"),
    "a head moved": ("UPDATE head SET seq = 6", "the entries up to 6 are not those that were signed"),
    "a column of another type": ("UPDATE journal SET version = 'x' WHERE seq = 2", "entry 2 (words a, version x.1) does not follow"),
    "a column of no bytes": ("UPDATE journal SET meta = 7 WHERE seq = 2", "the file is damaged"),
}  # fmt: skip


@pytest.mark.parametrize("what", TAMPERED)
def test_tampering_is_seen(folder: Folder, what: str) -> None:
    sql, told = TAMPERED[what]
    folder.change(sql)
    assert any(told in fault for fault in folder.look().faults), folder.look().faults


def test_a_file_that_is_gone_or_broken_is_named(folder: Folder) -> None:
    (folder.path / "audits.db").unlink()
    (folder.path / "gate.db").write_bytes(b"no database at all" * 500)
    found = {v.store: v.faults for v in verify(folder.path)}
    assert found["audits"] == ["audits: the file is gone; restore it from a backup"]
    assert "the file is damaged" in found["gate"][0]
    assert not found[STORE]


async def test_erased_payloads_are_counted_and_break_nothing(folder: Folder) -> None:
    await folder.node.stores[STORE].erase("words", "t", "a")
    assert folder.look() == Verified(STORE, entries=12, aggregates=3, heads=1, unsigned=4, erased=4, faults=[])


async def test_many_faults_are_not_all_told(folder: Folder) -> None:
    for n in range(30):
        await folder.say("d", str(n))
    folder.change("UPDATE journal SET data = x'00'")
    assert len(folder.look().faults) == 20


async def test_an_older_copy_shows_against_kept_heads(folder: Folder, tmp_path: Path) -> None:
    with closing(sqlite3.connect(folder.path / f"{STORE}.db")) as db, closing(sqlite3.connect(tmp_path / "older.db")) as copy:
        db.backup(copy)
    await folder.say("a", "three")
    await folder.sign()
    kept = await folder.heads()
    assert not folder.look(kept).faults
    await folder.say("a", "four")
    assert not folder.look(kept).faults
    with closing(sqlite3.connect(folder.path / f"{STORE}.db")) as db, closing(sqlite3.connect(tmp_path / "older.db")) as copy:
        copy.backup(db)
    assert not folder.look().faults
    (fault,) = folder.look(kept).faults
    assert "the head that was kept is of entry 14, and the journal ends at 12: the file is an older one" in fault


CUT = f"{QUIET}; DELETE FROM head WHERE seq > 8; DELETE FROM log WHERE seq > 8; UPDATE sqlite_sequence SET seq = 8 WHERE name = 'journal'"


async def test_a_cut_with_its_head_shows_against_kept_heads(folder: Folder) -> None:
    """All that the file itself can tell is right: this is why heads are kept elsewhere."""
    await folder.sign()
    kept = await folder.heads()
    folder.change(CUT)
    assert not folder.look().faults
    (fault,) = folder.look(kept).faults
    assert "the head that was kept is of entry 12, and the journal ends at 8" in fault
    await folder.say("b", "other")
    await folder.say("c", "other")
    await folder.sign()
    assert not folder.look().faults
    (fault,) = folder.look(kept).faults
    assert "the entries up to 12 are not those of the head that was kept" in fault


async def test_the_same_in_a_process_of_its_own(folder: Folder) -> None:
    folder.change(FORGE)
    assert await verify_apart(Settings(data=folder.path), [KeptHead("unknown", 1, "")]) == verify(folder.path, [KeptHead("unknown", 1, "")])


@pytest.mark.parametrize(
    ("break_", "code", "told"),
    [
        (lambda f: f.change(FORGE), 1, "The journal does not hold"),
        (lambda f: (f.path / "keys" / "journal-key.pub").unlink(), 2, "no key"),
        (lambda f: (f.path / "keys" / "journal-key.pub").write_bytes(b"x"), 2, "holds no key"),
        (lambda f: [one.unlink() for one in f.path.glob("*.db")], 2, "There is no journal"),
        (lambda f: None, 0, ""),
    ],
)
def test_what_the_command_says(
    folder: Folder, break_: Callable[[Folder], object], code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    break_(folder)
    with pytest.raises(SystemExit) as end:
        run(["journal", "verify", "--data", str(folder.path)])
    assert end.value.code == code
    assert told in capsys.readouterr().err


async def test_the_command_takes_kept_heads(folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    await folder.sign()
    file = tmp_path / "heads.json"
    head = (await folder.heads())[-1]
    file.write_text(f'{{"items": [{{"store": "{STORE}", "seq": {head.seq}, "digest": "{head.digest}", "signature": "00"}}]}}')
    codes = []
    for sql in ("SELECT 1", CUT):
        folder.change(sql)
        with pytest.raises(SystemExit) as end:
            run(["journal", "verify", "--data", str(folder.path), "--heads", str(file)])
        codes.append(end.value.code)
    assert codes == [0, 1]
    assert "was cut" in capsys.readouterr().err
    file.write_text("[]")
    with pytest.raises(SystemExit) as end:
        run(["journal", "verify", "--data", str(folder.path), "--heads", str(file)])
    assert end.value.code == 2
