"""An index of parties by name that can be changed while it is read: suppliers probe it with their names, or listed parties."""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from services.screening.matching.corpus import Corpus
from services.screening.matching.normalise import Prepared, prepare, tells
from services.screening.matching.score import Compared, compare, kind_of, with_countries
from services.screening.matching.settings import COUNTRY_AGREES, OTHER_KIND_CAP, WEAK_ALIAS
from services.screening.matching.shelf import Shelf, ShelfState
from services.screening.matching.why import Why, explain, explain_countries

_KINDS: Final = ("organisation", "person", "craft")


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One party that answers to a name asked: its best name, ours, both as written, and the reasons."""

    key: str
    score: float
    name: str
    asked: str
    why: tuple[Why, ...]


class _Party(msgspec.Struct, frozen=True, gc=False):
    kind: str
    countries: frozenset[str]
    numbers: tuple[int, ...]  # of its names on the shelf of its kind


class IndexState(msgspec.Struct, frozen=True, array_like=True):
    """An index to be kept: kind, countries and numbers of names by key of the party; shelves and numbers of weak names by kind."""

    parties: dict[str, tuple[str, tuple[str, ...], tuple[int, ...]]]
    shelves: dict[str, ShelfState]
    weak: dict[str, set[int]]


class _Found(msgspec.Struct, frozen=True, gc=False):
    score: float
    asked: Prepared
    number: int
    compared: Compared


class NameIndex:
    """Parties under keys, each with one or several names.

    Without a corpus the index weighs words by its own names: right for lists. An index of suppliers is given the
    corpus of the list index, so that a pair scores the same whichever side asks. One thread.
    """

    def __init__(self, corpus: Corpus | None = None) -> None:
        self._counted = corpus is None
        self.corpus = Corpus() if corpus is None else corpus
        self._parties: dict[str, _Party] = {}
        self._shelves = {kind: Shelf(self.corpus, counted=self._counted) for kind in _KINDS}
        self._owners: dict[str, list[str]] = {kind: [] for kind in _KINDS}  # key by the number of a name
        self._weak: dict[str, set[int]] = {kind: set() for kind in _KINDS}

    def __len__(self) -> int:
        """Parties."""
        return len(self._parties)

    def __contains__(self, key: object) -> bool:
        return key in self._parties

    def put(
        self,
        key: str,
        names: Sequence[str],
        *,
        schema: str = "organisation",
        countries: Sequence[str] = (),
        weak: Sequence[str] = (),
    ) -> None:
        """Puts a party in place of what stood under the key.

        `weak` are further names that the list itself calls weak aliases. Names that tell nothing are left out; a party
        without any other name is known under its key, but never found.
        """
        self.remove(key)
        kind = kind_of(schema)
        shelf, owners = self._shelves[kind], self._owners[kind]
        numbers = []
        for written, is_weak in [(n, False) for n in dict.fromkeys(names)] + [(n, True) for n in dict.fromkeys(weak)]:
            name = prepare(written)
            if not tells(name):
                continue
            if self._counted:
                self.corpus.add(name.words)
            number = shelf.put(name)
            if number == len(owners):
                owners.append(key)
            else:
                owners[number] = key
            if is_weak:
                self._weak[kind].add(number)
            numbers.append(number)
        self._parties[key] = _Party(kind, country_set(tuple(countries)), tuple(numbers))

    def remove(self, key: str) -> None:
        """Takes the party out; nothing happens where there is none."""
        party = self._parties.pop(key, None)
        if party is None:
            return
        shelf = self._shelves[party.kind]
        for number in party.numbers:
            if self._counted:
                self.corpus.discard(shelf.name(number).words)
            shelf.remove(number)
            self._weak[party.kind].discard(number)

    def state(self) -> IndexState:
        """All of it, for `restore`; to be encoded before the index changes."""
        parties = {key: (p.kind, tuple(sorted(p.countries)), p.numbers) for key, p in self._parties.items()}
        return IndexState(parties, {kind: shelf.state() for kind, shelf in self._shelves.items()}, self._weak)

    def restore(self, state: IndexState) -> None:
        """Makes this index, which is empty and counts no words, what another one was."""
        assert not self._counted
        for kind in _KINDS:
            self._shelves[kind].restore(state.shelves[kind])
            self._owners[kind] = [""] * len(state.shelves[kind].names)
            self._weak[kind] = state.weak[kind]
        for key, (kind, countries, numbers) in state.parties.items():
            self._parties[key] = _Party(kind, country_set(countries), numbers)
            for number in numbers:
                self._owners[kind][number] = key

    def expect(self, names: Iterable[str], *, schema: str = "organisation") -> None:
        """Looks up together the words of names that will be searched for soon; without it the same is found, more slowly."""
        shelf = self._shelves[kind_of(schema)]
        if len(shelf):
            shelf.expect(word for name in names for word in prepare(name).words)

    def search(
        self,
        names: Sequence[str],
        *,
        schema: str = "organisation",
        countries: Sequence[str] = (),
        threshold: float,
        limit: int | None = None,
        keys: Callable[[str], bool] | None = None,
    ) -> list[Hit]:
        """Parties that score at least `threshold` with any of the names, best first (then by key), one hit a party.

        Names that tell nothing (`screenable`) find nothing. `keys` says which parties count.
        """
        kind, lands = kind_of(schema), country_set(tuple(countries))
        best: dict[str, _Found] = {}
        for written in dict.fromkeys(names):
            asked = prepare(written)
            if not tells(asked):
                continue
            for other in _KINDS:
                for number in self._candidates(asked, kind, other, lands, threshold):
                    key = self._owners[other][number]
                    if keys is not None and not keys(key):
                        continue
                    found = self._judge(asked, kind, lands, other, number)
                    if found.score >= threshold and (key not in best or found.score > best[key].score):
                        best[key] = found
        ranked = sorted(best.items(), key=lambda item: (-item[1].score, item[0]))
        return [self._hit(key, found, kind, lands) for key, found in ranked[:limit]]

    def _candidates(self, asked: Prepared, kind: str, other: str, lands: frozenset[str], threshold: float) -> Iterable[int]:
        """Names of the other kind that may reach the threshold."""
        shelf = self._shelves[other]
        if not len(shelf):
            return ()
        floor = (threshold - COUNTRY_AGREES) / (1 - COUNTRY_AGREES) if lands else threshold
        if kind == other or floor <= OTHER_KIND_CAP:
            return shelf.candidates(asked, floor, persons="person" in (kind, other))
        return () if "craft" in (kind, other) else shelf.same_words(asked)

    def _judge(self, asked: Prepared, kind: str, lands: frozenset[str], other: str, number: int) -> _Found:
        compared = compare(asked, self._shelves[other].name(number), self.corpus, kind, other)
        score = with_countries(compared.score, lands, self._parties[self._owners[other][number]].countries)
        if number in self._weak[other]:
            score *= WEAK_ALIAS
        return _Found(score, asked, number, compared)

    def _hit(self, key: str, found: _Found, kind: str, lands: frozenset[str]) -> Hit:
        party = self._parties[key]
        name = self._shelves[party.kind].name(found.number)
        whys = explain(found.asked, name, found.compared.alignment, self.corpus)
        whys += explain_countries(lands, party.countries)
        if party.kind != kind:
            whys.append(Why("other_kind", kind, party.kind))
        if found.number in self._weak[party.kind]:
            whys.append(Why("weak_alias", b=name.name))
        return Hit(key=key, score=round(found.score, 4), name=name.name, asked=found.asked.name, why=tuple(whys))


@lru_cache(maxsize=4096)
def country_set(countries: tuple[str, ...]) -> frozenset[str]:
    """One set for all parties of the same countries: a hundred thousand of them are memory and work for the collector."""
    return frozenset(countries)
