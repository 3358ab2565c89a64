"""What it means that a journal holds: chains, documents and signed heads against each other, wherever they lie."""

from collections import Counter
from collections.abc import Iterable, Iterator
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
    rides: bool = False  # still in its document only: the journal has it in a moment, or when its dead writer is followed by another


class Source(Protocol):
    """One service's journal and documents as they are at one moment."""

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

    def document(self, kind: str, tenant: str, subject: str) -> tuple[int, bytes, bytes] | None:
        """Version, head and state; asked in the order of the chains."""
        ...

    def count(self, kind: str) -> int:
        """Documents of a kind."""
        ...

    def strangers(self, kind: str, limit: int) -> list[str]:
        """Ids of documents that have no entry at all."""
        ...


_Last = tuple[int, int, bytes, bytes, bytes]  # version, n, hash, meta, salt


class Check:
    """Holds one source against itself, with memory that does not grow with it."""

    def __init__(self, source: Source, store: str, verifier: HeadVerifier, kept: Iterable[KeptHead]) -> None:
        self._source, self._store, self._verifier = source, store, verifier
        self._kept = [(head.seq, head.digest) for head in kept]
        self._faults: list[str] = []
        self._entries = self._erased = self._unsigned = 0
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
        for seq in heads:
            self._fault(f"the entries up to {seq} were signed, and the journal ends at {last}")
        for seq in sorted(kept):
            self._fault(f"the head that was kept is of entry {seq}, and the journal ends at {last}: the file is an older one, or was cut")
        if loose := self._source.loose():
            self._fault(f"{loose} published records have no entry")
        self._unsigned = self._entries - good
        return signed

    def _head(self, seq: int, rolling: bytes, digest: bytes, signature: bytes, at: str) -> bool:
        if rolling != digest:
            self._fault(f"the entries up to {seq} are not those that were signed")
            return False
        if not self._verifier.holds(head_statement(self._store, seq, digest, at), signature):
            self._fault(f"the signature of the head at entry {seq} is not ours")
            return False
        return True

    def _chains(self) -> None:
        """One aggregate's entries behind another's; so that only the heads of one subject need to be held."""
        entries, before, last = 0, "", dict[tuple[str, str], _Last]()
        for e in self._source.chains():
            seq, kind, tenant, subject, version, n = e.seq, e.kind, e.tenant, e.subject, e.version, e.n
            entries += not e.rides
            if subject != before:
                self._ends(before, last)
                before, last = subject, {}
            place = f"entry {seq or 'somewhere'} ({kind} {subject}, version {version}.{n})"
            at, before_n, head, *_ = last.get((kind, tenant), (0, 0, b""))
            if (version, n) not in ((at + 1, 0), (at, before_n + 1)):
                self._fault(f"{place} does not follow version {at}.{before_n}")
            if e.data is None:
                self._erased += 1
            elif payload_digest(e.salt, e.data) != e.digest:
                self._fault(f"{place}: the payload is not what was written")
            if link(head, e.meta, e.digest) != e.hash:
                self._fault(f"{place}: the chain is broken")
            last[kind, tenant] = (version, n, e.hash, e.meta, e.salt)
        self._ends(before, last)
        if entries != self._entries:
            self._fault(f"{self._entries} entries, and {entries} of them can be found: the file is damaged")

    def _ends(self, subject: str, last: dict[tuple[str, str], _Last]) -> None:
        """Each chain's end is its document's head."""
        for (kind, tenant), (version, _, entry_hash, meta, salt) in last.items():
            self._aggregates += 1
            found = self._source.document(kind, tenant, subject) if kind in self._documents else None
            if found is None:
                self._fault(f"the document of {kind} {subject} is gone")
                continue
            self._documents[kind] += 1
            if found[:2] != (version, entry_hash):
                self._fault(f"{kind} {subject} is not as the journal says")
            elif (stands := _state_digest(meta)) and payload_digest(salt, found[2]).hex() != stands:
                self._fault(f"the state of {kind} {subject} is not what was written")

    def _strangers(self) -> None:
        """Documents that no chain leads to."""
        for kind, found in self._documents.items():
            if self._source.count(kind) > found:
                for id_ in self._source.strangers(kind, _MOST_FAULTS):
                    self._fault(f"{kind} {id_} stands in no journal")


def _state_digest(meta: bytes) -> str:
    """As the last event of a version has it; none where the entry is older than this rule, or no JSON: then its chain is broken anyway."""
    try:
        return msgspec.json.decode(meta, type=Meta).state
    except msgspec.MsgspecError:
        return ""
