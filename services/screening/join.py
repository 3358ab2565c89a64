"""The symmetric join: suppliers of the owned partitions on one side, all signals on the other; whichever comes second finds the first.

The state of one process, rebuilt from the two compacted topics at start. Putting the same event in twice changes nothing, so a batch that
failed may come again.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

import msgspec

from services.screening import material
from services.screening.exposures import Exposed, ExposureIndex, describe
from services.screening.matching.asking import Hit, Search
from services.screening.matching.facts import FOR, Facts
from services.screening.matching.index import NameIndex
from services.screening.matching.parties import country_set
from services.screening.matching.why import Why
from services.screening.model import Former, match_id
from services.screening.names import Known, Parties, facts_of_signal, ref_of
from services.screening.pairs import PART, Found, Key, Pair, Standing, each_once, key_of, seen_by
from services.screening.side import Supplier, SupplierSide, fingerprint, rows_of, supplier_of, suppliers_of
from services.screening.state import Sides
from services.screening.thresholds import TenantThresholds
from shared.events.envelope import PUBLIC, Meta
from shared.events.matches import Match, Reason, SignalRef
from shared.events.signals import ExposureSignal, PartySignal, Signal
from shared.events.suppliers import Profile

_ASKED = 0.1  # who asks for a name sees more than is worth a match
_ANY = ("organisation", "person", "vessel")  # an aircraft is compared as a vessel is


class Join:
    """All that a screening process holds in memory."""

    def __init__(self, thresholds: TenantThresholds) -> None:
        self.thresholds = thresholds
        self._signals: dict[Key, tuple[Signal, SignalRef]] = {}
        self._identities: dict[Key, str] = {}  # of signals that touch somebody
        self._suppliers: dict[Key, Supplier] = {}
        self._counts: dict[int, Counter[str]] = defaultdict(Counter)
        self._signal_names = NameIndex()
        self._supplier_names = NameIndex(self._signal_names.corpus)
        self._exposures = ExposureIndex()
        self.standing = Standing()
        self._heard: dict[Key, int] = {}  # the newest event of each signal, withdrawn ones, too

    # ---- what is known ----

    def __len__(self) -> int:
        """Suppliers."""
        return len(self._suppliers)

    def counts(self, partition: int) -> dict[str, int]:
        """Suppliers of a partition, by tenant."""
        return dict(self._counts[partition])

    def knows(self, supplier: Key) -> bool:
        """Is it one of the suppliers held here?"""
        return supplier in self._suppliers

    def knows_profile(self, supplier: Key, profile: Profile) -> bool:
        """Is this what it was last held against all signals with?"""
        known = self._suppliers.get(supplier)
        return known is not None and known.profile == fingerprint(profile)

    def partition_of(self, supplier: Key) -> int:
        """Where a supplier belongs."""
        return self._suppliers[supplier].partition

    def suppliers_in(self, partitions: Collection[int]) -> list[Key]:
        """All suppliers of some partitions."""
        return [key for key, known in self._suppliers.items() if known.partition in partitions]

    def sides(self, supplier: Key, signal: Key) -> Sides:
        """The versions of a pair's sides, and of its tenant's settings, as they are known here; 0 where one is not (yet)."""
        known = self._suppliers.get(supplier)
        settings = self.thresholds.of(supplier[0]).version
        return Sides(known.version if known else 0, self._heard.get(signal, 0), settings, known.profile.hex() if known else "")

    def has_heard(self, key: Key, sequence: int) -> bool:
        """Is this event of a signal, or a newer one, known?"""
        return sequence <= self._heard.get(key, 0)

    def is_old_signal(self, key: Key, sequence: int) -> bool:
        """Has a newer event of this signal been heard? A dead letter may come late."""
        if sequence < self._heard.get(key, 0):
            return True
        self._heard[key] = sequence
        return False

    def is_bought(self, supplier: Key) -> bool:
        """Is it one that things are bought from?"""
        return (known := self._suppliers.get(supplier)) is None or known.bought

    def is_old_supplier(self, key: Key, version: int) -> bool:
        """The same for a supplier."""
        known = self._suppliers.get(key)
        return known is not None and version < known.version

    # ---- suppliers ----

    def put_supplier(self, key: Key, partition: int, version: int, profile: Profile, parties: Parties, *, bought: bool = True) -> None:
        """A supplier as its last event tells it; `parties`: of its profile."""
        old = self._suppliers.get(key)
        if old is None:
            self._counts[partition][key[0]] += 1
        it, *owners = parties
        known = self._suppliers[key] = supplier_of(partition, version, profile, it.countries, it.names, bought=bought)
        own = PART.join(key)
        self._supplier_names.put(own, it.names, countries=it.countries, facts=it.facts)
        for n in range(max(len(known.owners), len(old.owners) if old else 0)):
            self._supplier_names.remove(f"{own}{PART}{n}")
        for n, one in enumerate(owners):
            self._supplier_names.put(f"{own}{PART}{n}", one.names, schema=one.schema, countries=one.countries, facts=one.facts)
        self._exposures.put_supplier(own, profile)

    def remove_supplier(self, key: Key) -> None:
        """A supplier that another process holds from now on."""
        known = self._suppliers.pop(key)
        self._counts[known.partition][key[0]] -= 1
        own = PART.join(key)
        self._supplier_names.remove(own)
        for n in range(len(known.owners)):
            self._supplier_names.remove(f"{own}{PART}{n}")
        self._exposures.remove_supplier(own)

    def of_suppliers(self, told: Mapping[Key, tuple[Profile, Parties]]) -> dict[Key, list[Found]]:
        """Of each all signals that touch it or one of its owners."""
        asked = [(key, n, one) for key, (_, parties) in told.items() for n, one in enumerate(parties)]
        found: dict[Key, list[Found]] = {key: [] for key in told}
        all_hits = self._signal_names.search_all([self._search(key, one) for key, _, one in asked])
        for (key, n, one), hits in zip(asked, all_hits, strict=True):
            for hit in hits:
                owner = (one.percent,) if n else None
                found[key].append(self._party(key, key_of(hit.key), hit.asked, owner, one.country, hit, hit.name))
        for key, (profile, _) in told.items():
            tenants = seen_by(key[0])
            for signal_key, exposed in self._exposures.of_supplier(profile):
                if signal_key.startswith(tenants):
                    found[key].append(self._exposed(key, key_of(signal_key), exposed))
        return {key: each_once(ones) for key, ones in found.items()}

    def _search(self, key: Key, one: Known) -> Search:
        tenants = seen_by(key[0])
        return Search(
            one.names, self.thresholds.of(key[0]).review, one.schema, one.countries, one.facts, keys=lambda k: k.startswith(tenants)
        )  # fmt: skip

    def side(self) -> SupplierSide:
        """All suppliers, for `restore`; to be encoded before the next one is put."""
        return SupplierSide(rows_of(self._suppliers), self._supplier_names.state(), self._exposures.suppliers())

    def restore(self, side: SupplierSide) -> None:
        """Puts all suppliers of a side into this join, which knows none."""
        for key, supplier in suppliers_of(side.suppliers):
            self._suppliers[key] = supplier
            self._counts[supplier.partition][key[0]] += 1
        self._supplier_names.restore(side.names)
        for own, profile in side.exposed.items():
            self._exposures.put_supplier(own, profile)

    # ---- signals ----

    def put_signal(self, key: Key, signal: Signal, meta: Meta) -> None:
        """A signal as its last event tells it."""
        subject, own = signal.subject, PART.join(key)
        name = subject.names[0].name if isinstance(subject, PartySignal) else describe(subject)
        schema = subject.schema if isinstance(subject, PartySignal) else "exposure"
        ref = ref_of(key[1], signal, name, schema, meta)
        self._signals[key] = (signal, ref)
        self._identities.pop(key, None)
        if isinstance(subject, PartySignal):
            self._exposures.remove_signal(own)  # an order that is in force again names its party again
            strong = [n.name for n in subject.names if not n.weak]
            weak = [n.name for n in subject.names if n.weak]
            facts = facts_of_signal(subject)
            self._signal_names.put(own, strong, schema=subject.schema, countries=subject.countries, weak=weak, facts=facts)
        else:
            self._signal_names.remove(own)
            self._exposures.put_signal(own, subject)

    def remove_signal(self, key: Key) -> None:
        """A signal that holds no more."""
        self._signals.pop(key, None)
        self._identities.pop(key, None)
        self._signal_names.remove(PART.join(key))
        self._exposures.remove_signal(PART.join(key))

    def of_signal(self, key: Key, partitions: Collection[int], tenant: str | None = None) -> list[Found]:
        """All suppliers of some partitions, and perhaps of one tenant, that a signal touches."""
        signal, _ = self._signals[key]
        if isinstance(signal.subject, ExposureSignal):
            hits: Iterator[tuple[Key, Exposed]] = ((key_of(k), e) for k, e in self._exposures.of_signal(signal.subject))
            return [self._exposed(supplier, key, exposed) for supplier, exposed in hits if self._wanted(supplier, key, partitions, tenant)]
        return each_once(self._parties(key, signal.subject, partitions, tenant))

    def _parties(self, key: Key, subject: PartySignal, partitions: Collection[int], tenant: str | None) -> Iterator[Found]:
        best: dict[str, Hit] = {}
        for weak in (False, True):  # a weak alias proves as little when it asks as when it is asked
            for hit in self._supplier_names.search(
                [n.name for n in subject.names if n.weak == weak], schema=subject.schema, countries=subject.countries,
                facts=facts_of_signal(subject), weak=weak, threshold=self.thresholds.lowest, least=self._least(),
                keys=lambda k: self._wanted(key_of(k), key, partitions, tenant),
            ):  # fmt: skip
                if hit.key not in best or hit.score > best[hit.key].score:
                    why = tuple(Why(w.kind, w.b, w.a, w.score) for w in hit.why)  # told from the supplier's side, whoever asked
                    best[hit.key] = msgspec.structs.replace(hit, why=why)
        for hit in best.values():
            supplier = key_of(hit.key)
            known = self._suppliers[supplier]
            owner = hit.key.split(PART)[2:]
            party, percent, country = known.owners[int(owner[0])] if owner else (hit.name, None, known.country)
            yield self._party(supplier, key, party, (percent,) if owner else None, country, hit, hit.asked)

    def standing_of_signal(self, key: Key, partitions: Collection[int], tenant: str | None = None) -> list[Pair]:
        """Matches that stand for a signal, with suppliers of some partitions, and perhaps of one tenant."""
        return [pair for pair in self.standing.of_signal(key) if self._wanted(pair.supplier, key, partitions, tenant)]

    def parties(self, tenant: str) -> Iterator[Key]:
        """Signals about parties that a tenant's suppliers are held against; they may come and go meanwhile."""
        for key in [key for key in self._signals if key[0] in (PUBLIC, tenant)]:
            if key in self._signals and isinstance(self._signals[key][0].subject, PartySignal):
                yield key

    def _wanted(self, supplier: Key, signal: Key, partitions: Collection[int], tenant: str | None) -> bool:
        known = self._suppliers.get(supplier)
        return known is not None and known.partition in partitions and signal[0] in (PUBLIC, supplier[0]) and tenant in (None, supplier[0])

    def _least(self) -> Callable[[str], float] | None:
        """From which score a supplier counts, where that is not the same for all."""
        return (lambda k: self.thresholds.of(k.partition(PART)[0]).review) if self.thresholds.tenants else None

    # ---- ad-hoc ----

    def ask(
        self, tenant: str, name: str, *, schema: str | None, countries: list[str], limit: int, facts: Facts | None = None
    ) -> list[tuple[Hit, SignalRef]]:
        """Signals that a name resembles, without storing anything; without a schema as the kind of party that it resembles most."""
        tenants, floor = seen_by(tenant), min(_ASKED, self.thresholds.of(tenant).review)
        best: dict[str, Hit] = {}
        for kind in [schema] if schema else _ANY:
            hits = self._signal_names.search(
                [name], schema=kind, countries=countries, facts=facts, threshold=floor, limit=limit, keys=lambda k: k.startswith(tenants)
            )
            best |= {hit.key: hit for hit in hits if hit.key not in best or hit.score > best[hit.key].score}
        ranked = sorted(best.values(), key=lambda hit: (-hit.score, hit.key))[:limit]
        return [(hit, self._signals[key_of(hit.key)][1]) for hit in ranked]

    # ---- pairs ----

    def _party(
        self, supplier: Key, signal_key: Key, party: str, owner: tuple[str | None] | None, country: str, hit: Hit, listed: str
    ) -> Found:
        signal, ref = self._signals[signal_key]
        folded = " ".join(party.casefold().split())
        match = Match(
            supplier_id=supplier[1],
            signal=msgspec.structs.replace(ref, name=listed or ref.name),
            about="party",
            party="owner" if owner else "supplier",
            party_name=party,
            owner_percent=owner[0] if owner else None,
            score=hit.score,
            strength="strong" if self.thresholds.of(supplier[0]).strong_by(hit) else "weak",
            why=tuple(Reason(kind=w.kind, asked=w.a, found=w.b, score=w.score) for w in hit.why),
        )
        known, whom = self._suppliers[supplier], folded if owner else ""
        ours = country_set((country,)) if owner else known.countries
        common = ours.intersection(signal.subject.countries) if isinstance(signal.subject, PartySignal) else ()
        common = (*common, *(f"{w.kind} {w.a}" for w in hit.why if w.kind in FOR))
        content, *alike = (
            material.of_party(name, country, common, self._identity(signal_key)) for name in (party, *(() if owner else known.names))
        )
        former = tuple(Former(match_id(*supplier, old, whom), old) for old in signal.formerly)
        others = tuple(dict.fromkeys(one for one in alike if one != content))
        return Found(match_id(*supplier, signal_key[1], whom), supplier, match, content, others, former)

    def _exposed(self, supplier: Key, signal_key: Key, exposed: Exposed) -> Found:
        _, ref = self._signals[signal_key]
        match = Match(
            supplier_id=supplier[1], signal=ref, about="exposure", score=exposed.score, strength=exposed.strength, why=exposed.why
        )
        content = material.of_exposure(exposed.touched, self._identity(signal_key))
        return Found(match_id(*supplier, signal_key[1], "exposure"), supplier, match, content)

    def _identity(self, signal_key: Key) -> str:
        found = self._identities.get(signal_key)
        if found is None:
            found = self._identities[signal_key] = material.identity(self._signals[signal_key][0])
        return found
