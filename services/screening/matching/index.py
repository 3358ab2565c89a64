"""An index of parties by name that can be changed while it is read: suppliers probe it with their names, or listed parties."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from services.screening.matching.asking import Asking, Best, Hit, Search
from services.screening.matching.corpus import Corpus
from services.screening.matching.facts import Facts, Told, decides, makes_certain, odds_in_all, odds_of_finding, tell, tell_places
from services.screening.matching.known import KnownFacts
from services.screening.matching.model import REVIEW, log_odds_of, probability
from services.screening.matching.normalise import Prepared, prepare
from services.screening.matching.parties import KINDS, Parties, PartiesState
from services.screening.matching.readings import all_readings, comparable
from services.screening.matching.score import Compared, compare, kind_of, model_of, with_countries, with_facts
from services.screening.matching.settings import COUNTRY_AGREES, IDENTIFIER_DECIDES, OTHER_KIND_CAP, WEAK_ALIAS
from services.screening.matching.shelf import Shelf, ShelfState, Wanted
from services.screening.matching.why import Why, explain, explain_countries, explain_facts, explain_name_only


class Work(NamedTuple):
    """Names that were looked at by their words in arrays, and those that were compared word by word."""

    met: int
    compared: int


class IndexState(msgspec.Struct, frozen=True, array_like=True):
    """An index to be kept, for the same code on the same machine: its parties; shelves and numbers of weak names by kind; facts by key."""

    parties: PartiesState
    shelves: dict[str, ShelfState]
    weak: dict[str, set[int]]
    facts: dict[str, Facts]


class NameIndex:
    """Parties under keys, each with one or several names.

    Without a corpus the index weighs words by its own names: right for lists. An index of suppliers is given the
    corpus of the list index, so that a pair scores the same whichever side asks. `prior`: see Corpus. One thread.
    """

    def __init__(self, corpus: Corpus | None = None, *, prior: Mapping[str, float] | None = None) -> None:
        self._counted = corpus is None
        self.corpus = Corpus(prior) if corpus is None else corpus
        self._parties = Parties()
        self._shelves = {kind: Shelf(self.corpus, counted=self._counted) for kind in KINDS}
        self._weak: dict[str, set[int]] = {kind: set() for kind in KINDS}
        self._compared = 0
        self._facts = KnownFacts()

    def __len__(self) -> int:
        """Parties."""
        return len(self._parties)

    def __contains__(self, key: object) -> bool:
        return key in self._parties

    @property
    def work(self) -> Work:
        """What all searches have cost until now."""
        return Work(sum([shelf.met for shelf in self._shelves.values()]), self._compared)

    def put(
        self,
        key: str,
        names: Sequence[str],
        *,
        schema: str = "organisation",
        countries: Sequence[str] = (),
        weak: Sequence[str] = (),
        facts: Facts | None = None,
    ) -> None:
        """Puts a party in place of what stood under the key.

        `weak` are further names that the list itself calls weak aliases. Names that tell nothing are left out; a party
        without any other name is known under its key, but found by its numbers only.
        """
        self.remove(key)
        kind = kind_of(schema)
        numbers = self._put_names(kind, names)
        numbers += self._put_names(kind, weak, weak=True)
        self._parties.put(key, kind, numbers, countries)
        if facts is not None:
            self._facts.put(key, facts)

    def _put_names(self, kind: str, names: Iterable[str], *, weak: bool = False) -> list[int]:
        """The numbers of all readings."""
        numbers = []
        for name, weakly in all_readings(names):
            if self._counted:
                self.corpus.add(name.words)
            numbers.append(self._shelves[kind].put(name))
            if weak or weakly:
                self._weak[kind].add(numbers[-1])
        return numbers

    def remove(self, key: str) -> None:
        """Takes the party out; nothing happens where there is none."""
        party = self._parties.pop(key)
        if party is None:
            return
        self._facts.remove(key)
        shelf = self._shelves[party.kind]
        for number in party.numbers:
            if self._counted:
                self.corpus.discard(shelf.name(number).words)
            shelf.remove(number)
            self._weak[party.kind].discard(number)

    def state(self) -> IndexState:
        """All of it, for `restore`; to be encoded before the index changes."""
        shelves = {kind: shelf.state() for kind, shelf in self._shelves.items()}
        return IndexState(self._parties.state(), shelves, self._weak, self._facts.state())

    def restore(self, state: IndexState) -> None:
        """Makes this index, which holds nobody and counts no words, what another one was."""
        assert not self._counted
        assert not len(self)
        # Who was here and went has left words, whose numbers are others' now.
        self._parties, self._facts = Parties(), KnownFacts()
        self._parties.restore(state.parties)
        for kind in KINDS:
            shelf = Shelf(self.corpus, counted=False)
            shelf.met = self._shelves[kind].met
            shelf.restore(state.shelves[kind])
            self._shelves[kind] = shelf
            self._weak[kind] = state.weak[kind]
        self._facts.restore(state.facts)

    def search(
        self,
        names: Sequence[str],
        *,
        schema: str = "organisation",
        countries: Sequence[str] = (),
        facts: Facts | None = None,
        weak: bool = False,
        threshold: float,
        least: Callable[[str], float] | None = None,
        limit: int | None = None,
        keys: Callable[[str], bool] | None = None,
    ) -> list[Hit]:
        """Parties that score at least `threshold` with any of the names, best first (then by key), one hit a party; and those of the same number.

        An address or a day of birth makes stronger only what names bring to REVIEW, or to a lower threshold.
        Names that tell nothing (`screenable`) find nothing. See Search.
        """
        return self.search_all([Search(names, threshold, schema, countries, facts, weak, least, limit, keys)])[0]

    def search_all(self, searches: Sequence[Search]) -> list[list[Hit]]:
        """As `search`, for each. Step by step for all of them and not one after the other: see ADR 0023."""
        asking = [Asking.of(one) for one in searches]
        asked = [
            (at, name, asking[at]._replace(factor=WEAK_ALIAS) if weakly else asking[at])
            for at, one in enumerate(searches)
            for name, weakly in all_readings(one.names)
        ]
        near = [(kind, self._candidates([(name, asks) for _, name, asks in asked], kind)) for kind in KINDS]
        best: list[dict[str, Best]] = [{} for _ in searches]
        for n, (at, name, asks) in enumerate(asked):
            counts = searches[at].keys
            for kind, numbers in near:
                for number in numbers[n]:
                    key = self._parties.key(kind, number)
                    if counts is None or counts(key):
                        self._consider(best[at], key, name, asks, kind, number)
        return [self._ranked(*one) for one in zip(searches, asking, best, strict=True)]

    def _candidates(self, asked: Sequence[tuple[Prepared, Asking]], other: str) -> Sequence[Sequence[int]]:
        """Of each asked the names of the other kind that may reach its threshold."""
        shelf, found = self._shelves[other], list[Sequence[int]]([()] * len(asked))
        if not len(shelf):
            return found
        wanted: dict[int, Wanted] = {}
        for at, (name, asking) in enumerate(asked):
            kind, floor = asking.kind, asking.threshold
            floor = (min(floor, REVIEW) if asking.facts and len(self._facts) else floor) / asking.factor
            floor = _without_country(floor) if asking.lands else floor
            if kind == other or floor <= OTHER_KIND_CAP:
                wanted[at] = Wanted(name, log_odds_of(floor), model_of(kind, other), "person" in (kind, other))
            elif "craft" not in (kind, other):
                found[at] = shelf.same_words(name)
        for at, numbers in zip(wanted, shelf.candidates(list(wanted.values())), strict=True):
            found[at] = numbers
        return found

    def _ranked(self, search: Search, asking: Asking, best: dict[str, Best]) -> list[Hit]:
        for key in self._facts.sharing(search.facts) if search.names else ():
            if search.keys is None or search.keys(key):
                self._consider_sharing(best, key, search.names, asking)
        scores = {key: self._decided(key, found.score, asking) for key, found in best.items()}
        ranked = sorted(best, key=lambda key: (-scores[key], key))
        return [self._hit(key, scores[key], best[key], asking) for key in ranked[: search.limit]]

    def _consider(self, best: dict[str, Best], key: str, asked: Prepared, asking: Asking, kind: str, number: int) -> None:
        name = self._shelves[kind].name(number)
        if not comparable(asked, name):
            return
        self._compared += 1
        compared = compare(asked, name, self.corpus, asking.kind, kind)
        least, told = asking.least(key), self._told(key, asking)
        score = self._score(compared, kind, number, asking, odds_of_finding(told))
        if asking.facts is not None:
            if score < min(REVIEW, least):
                return
            score = self._score(compared, kind, number, asking, odds_in_all(self._placed(key, asking)))
        if score >= least and (key not in best or self._better(score, asked, kind, number, best[key])):
            best[key] = Best(score, asked, asking.factor, kind, number, compared)

    def _better(self, score: float, asked: Prepared, kind: str, number: int, found: Best) -> bool:
        """Of pairs that score the same the first in the alphabet: whichever side asks, and however names came in, the same one is told."""
        if score != found.score or found.number is None:
            return score > found.score
        name, other = self._shelves[kind].name(number).name, self._shelves[found.kind].name(found.number).name
        return sorted((name, asked.name)) < sorted((other, found.asked.name))

    def _consider_sharing(self, best: dict[str, Best], key: str, names: Sequence[str], asking: Asking) -> None:
        """A party of the same number, whatever its names; or, born on the same day, of a name that alone would not do."""
        party, told = self._parties.names(key), self._told(key, asking)
        if any(one.kind == "birth_date" for one in told):
            for number in party.numbers:
                for asked, _ in all_readings(names):
                    self._consider(best, key, asked, asking, party.kind, number)
        if key not in best and decides(told):
            first = next(iter(party.numbers), None)
            name = prepare("") if first is None else self._shelves[party.kind].name(first)
            asked = prepare(names[0])
            best[key] = Best(0.0, asked, 1.0, party.kind, first, compare(asked, name, self.corpus, asking.kind, party.kind))

    def _told(self, key: str, asking: Asking) -> list[Told]:
        theirs = self._facts.of(key) if asking.facts is not None else None
        if theirs is None or asking.facts is None:
            return []
        if key not in asking.told:
            asking.told[key] = tell(asking.facts, theirs)
        return asking.told[key]

    def _placed(self, key: str, asking: Asking) -> list[Told]:
        theirs = self._facts.of(key)
        if asking.facts is None or theirs is None:
            return []
        if key not in asking.placed:
            asking.placed[key] = [*self._told(key, asking), *tell_places(asking.facts, theirs)]
        return asking.placed[key]

    def _score(self, compared: Compared, kind: str, number: int | None, asking: Asking, odds: float) -> float:
        """`odds`: of what facts say."""
        score = compared.score
        if odds and (kind == asking.kind or score > OTHER_KIND_CAP):
            score = with_facts(score, odds)
        score = with_countries(score, asking.lands, self._parties.countries(kind, number)) * asking.factor
        return score * WEAK_ALIAS if number in self._weak[kind] else score

    def _decided(self, key: str, score: float, asking: Asking) -> float:
        return max(score, probability(IDENTIFIER_DECIDES)) if decides(self._told(key, asking)) else score

    def _hit(self, key: str, score: float, found: Best, asking: Asking) -> Hit:
        told, lands = self._placed(key, asking), self._parties.countries(found.kind, found.number)
        name = self._shelves[found.kind].name(found.number) if found.number is not None else prepare("")
        whys = explain(found.asked, name, found.compared)
        whys += [*explain_countries(asking.lands, lands), *explain_facts(told)]
        if asking.lands or lands or asking.facts or self._facts.of(key):
            whys += explain_name_only(found.asked, name, whys)
        if found.kind != asking.kind:
            whys.append(Why("other_kind", asking.kind, found.kind))
        if found.factor < 1:
            whys.append(Why("weak_alias", a=found.asked.name))
        if found.number in self._weak[found.kind]:
            whys.append(Why("weak_alias", b=name.name))
        certain = makes_certain(found.compared.same_name, told)
        return Hit(key=key, score=round(score, 4), certain=certain, name=name.name, asked=found.asked.name, why=tuple(whys))


def _without_country(threshold: float) -> float:
    """The score that an agreeing country lifts to the threshold."""
    return (threshold - COUNTRY_AGREES) / (1 - COUNTRY_AGREES)
