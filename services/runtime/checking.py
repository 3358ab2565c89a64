"""What it means that a journal holds: chains, documents and signed heads against each other, wherever they lie."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

import msgspec

from services.runtime.signing import HeadVerifier
from shared.events.envelope import Meta
from shared.kernel.journal import GENESIS, head_statement, link, payload_digest, roll

_MOST_FAULTS = 20


class KeptHead(msgspec.Struct, frozen=True):
    """A signed head as `journal heads` tells it, kept where nobody who can change the files can change it. `digest`: hex."""

    store: str
    seq: int
    digest: str


class Verified(msgspec.Struct, frozen=True):
    """What was looked at in one store, and what is broken there. `unsigned`: entries since the last signed head."""

    store: str
    entries: int
    aggregates: int
    heads: int
    unsigned: int
    erased: int
    faults: list[str]


def unread(store: str, why: str) -> Verified:
    """Of a store that could not be looked at: that is a fault, too."""
    return Verified(store, 0, 0, 0, 0, 0, [f"{store}: {why}"])


class Entry(msgspec.Struct, frozen=True):
    """One entry of an aggregate's chain; `seq` is its number in the whole journal, 0 where that is not known."""

    seq: int
    kind: str
    tenant: str
    subject: str
    version: int
    n: int
    meta: bytes
    data: bytes | None
    salt: bytes
    digest: bytes
    hash: bytes


Kept = tuple[int, bytes, bytes]  # a document's version, head and state


class Source(Protocol):
    """One service's journal and documents. `still`: all as at one moment; else they change meanwhile, and each aggregate by itself can be seen so."""

    still: bool

    def kinds(self) -> list[str]:
        """Of which there are documents."""
        ...

    def heads(self) -> dict[int, tuple[bytes, bytes, str]]:
        """entry -> digest, signature, when."""
        ...

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """Number and hash of every entry, in order."""
        ...

    def written(self) -> int:
        """The last number that was ever given, where that is known; else 0."""
        ...

    def loose(self) -> int:
        """Published records without an entry."""
        ...

    def chains(self) -> Iterator[Entry]:
        """All entries, those of a subject together, oldest first."""
        ...

    def document(self, kind: str, tenant: str, subject: str) -> Kept | None:
        """Asked in the order of the chains."""
        ...

    def strangers(self, kind: str, chained: int) -> Iterator[tuple[str, str]]:
        """Tenants and ids of documents that have no entry among `chains`, as `chained` documents have. Asked behind all chains."""
        ...

    def moment(self, kind: str, tenant: str, subject: str) -> tuple[Iterable[Entry], Kept | None]:
        """One aggregate's entries and document as they are at one moment. Asked where not all is of one."""
        ...


class Check:
    """Holds one source against itself, with memory that does not grow with it."""

    def __init__(self, source: Source, store: str, verifier: HeadVerifier, kept: Iterable[KeptHead]) -> None:
        self._source, self._store, self._verifier = source, store, verifier
        self._kept = [(head.seq, head.digest) for head in kept]
        self._faults: list[str] = []
        self._entries = self._erased = self._unsigned = 0
        self._astray = False  # an entry was found that was not signed in its place
        self._documents: Counter[str] = Counter(dict.fromkeys(source.kinds(), 0))
        self._aggregates = 0

    def run(self) -> Verified:
        """What was found."""
        heads = self._whole()
        self._chains()
        self._strangers()
        return Verified(self._store, self._entries, self._aggregates, heads, self._unsigned, self._erased, self._faults)

    def _fault(self, text: str) -> None:
        if len(self._faults) < _MOST_FAULTS:
            self._faults.append(f"{self._store}: {text}")

    def _whole(self) -> int:
        """All entries in the order of the file, against the signed heads; how many of those there are."""
        heads = self._source.heads()
        signed, last, good, rolling = len(heads), 0, 0, GENESIS
        kept: dict[int, set[str]] = {}
        for seq, digest in self._kept:
            kept.setdefault(seq, set()).add(digest)
        for seq, entry_hash in self._source.numbered():
            self._entries += 1
            if seq != last + 1:
                self._fault(f"entries {last + 1} to {seq - 1} are missing")
            last, rolling = seq, roll(rolling, entry_hash)
            if seq in heads and self._head(seq, rolling, *heads.pop(seq)):
                good = self._entries
            if kept.pop(seq, {rolling.hex()}) != {rolling.hex()}:
                self._fault(f"the entries up to {seq} are not those of the head that was kept")
        if (written := self._source.written()) > last:
            self._fault(f"entries {last + 1} to {written} are missing")
        if heads:
            self._fault(f"the entries up to {max(heads)} were signed, and the journal ends at {last}")
        for seq in sorted(kept):
            self._fault(f"the head that was kept is of entry {seq}, and the journal ends at {last}: the file is an older one, or was cut")
        if loose := self._source.loose():
            self._fault(f"{loose} published records have no entry")
        self._unsigned = self._entries - good
        return signed

    def _head(self, seq: int, rolling: bytes, digest: bytes, signature: bytes, at: str) -> bool:
        if rolling != digest:
            if not self._astray:  # of all later heads the same is true: what is wrong in a chain must find room beside it
                self._fault(f"the entries up to {seq} are not those that were signed")
            self._astray = True
            return False
        if not self._verifier.holds(head_statement(self._store, seq, digest, at), signature):
            self._fault(f"the signature of the head at entry {seq} is not ours")
            return False
        return True

    def _chains(self) -> None:
        """One aggregate's entries behind another's; so that only the chains of one subject need to be held."""
        entries, before, chains = 0, "", dict[tuple[str, str], _Chain]()
        for e in self._source.chains():
            entries += 1
            if e.subject != before:
                self._ends(chains)
                before, chains = e.subject, {}
            if (e.kind, e.tenant) not in chains:
                chains[e.kind, e.tenant] = _Chain(e.kind, e.tenant, e.subject)
            chains[e.kind, e.tenant].add(e)
        self._ends(chains)
        if entries < self._entries or (self._source.still and entries != self._entries):
            self._fault(f"{self._entries} entries, and {entries} of them can be found: the file is damaged")

    def _ends(self, chains: Mapping[tuple[str, str], "_Chain"]) -> None:
        for (kind, tenant), chain in chains.items():
            found = self._source.document(kind, tenant, chain.subject) if kind in self._documents else None
            if found is not None:
                self._documents[kind] += 1
            self._judge(chain, found)

    def _judge(self, chain: "_Chain", document: Kept | None) -> None:
        """Its end is its document's head. What looks wrong while all else changes is looked at again, at one moment."""
        faults = chain.faults(document)
        if faults and not self._source.still:
            chain, document = self._again(chain.kind, chain.tenant, chain.subject)
            faults = chain.faults(document)
        self._aggregates += 1
        self._erased += chain.erased
        for fault in faults:
            self._fault(fault)

    def _again(self, kind: str, tenant: str, subject: str) -> tuple["_Chain", Kept | None]:
        entries, document = self._source.moment(kind, tenant, subject)
        chain = _Chain(kind, tenant, subject)
        for entry in entries:
            chain.add(entry)
        return chain, document

    def _strangers(self) -> None:
        """Documents that no chain leads to: made up, or younger than the look at the chains."""
        for kind, chained in self._documents.items():
            for tenant, id_ in self._source.strangers(kind, chained):
                chain, document = (_Chain(kind, tenant, id_), None) if self._source.still else self._again(kind, tenant, id_)
                if chain.version:
                    self._judge(chain, document)
                else:
                    self._fault(f"{kind} {id_} stands in no journal")
                if len(self._faults) == _MOST_FAULTS:
                    return


class _Chain:
    """An aggregate's entries, one held against the one before it."""

    def __init__(self, kind: str, tenant: str, subject: str) -> None:
        self.kind, self.tenant, self.subject = kind, tenant, subject
        self.version = self._n = self.erased = 0
        self._head = self._meta = self._salt = b""
        self._broken: list[str] = []
        self._named = [b'"%s":%s' % (name, msgspec.json.encode(said)) for name, said in ((b"subject", subject), (b"tenant", tenant))]

    def add(self, e: Entry) -> None:
        """The next one."""
        place = f"entry {e.seq or 'somewhere'} ({e.kind} {e.subject}, version {e.version}.{e.n})"
        if (e.version, e.n) not in ((self.version + 1, 0), (self.version, self._n + 1)):
            self._wrong(f"{place} does not follow version {self.version}.{self._n}")
        if e.data is None:
            self.erased += 1
        elif payload_digest(e.salt, e.data) != e.digest:
            self._wrong(f"{place}: the payload is not what was written")
        if link(self._head, e.meta, e.digest) != e.hash:
            self._wrong(f"{place}: the chain is broken")
        if not all(name in e.meta for name in self._named):
            self._wrong(f"{place} was written of another aggregate")
        self.version, self._n, self._head, self._meta, self._salt = e.version, e.n, e.hash, e.meta, e.salt

    def _wrong(self, text: str) -> None:
        if len(self._broken) < _MOST_FAULTS:
            self._broken.append(text)

    def faults(self, document: Kept | None) -> list[str]:
        """What is wrong with them, and with the document at their end."""
        if document is None:
            return [*self._broken, f"the document of {self.kind} {self.subject} is gone"]
        version, head, state = document
        if (version, head) != (self.version, self._head):
            return [*self._broken, f"{self.kind} {self.subject} is not as the journal says"]
        if (stands := _state_digest(self._meta)) and payload_digest(self._salt, state).hex() != stands:
            return [*self._broken, f"the state of {self.kind} {self.subject} is not what was written"]
        return self._broken


def _state_digest(meta: bytes) -> str:
    """As the last event of a version has it; none where the entry is older than this rule, or no JSON: then its chain is broken anyway."""
    try:
        return msgspec.json.decode(meta, type=Meta).state
    except msgspec.MsgspecError:
        return ""
