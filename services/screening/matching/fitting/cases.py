"""What the fit learns from: names that mean a listed party, and names that mean nobody on the list, each beside the names it may be taken for."""

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

from services.screening.matching.corpus import Corpus
from services.screening.matching.fitting.miswriting import ORGANISATIONS, PERSONS, dressed, miswritten, other_word
from services.screening.matching.fitting.nearby import Nearby
from services.screening.matching.model import Weights
from services.screening.matching.normalise import Prepared, prepare
from services.screening.matching.readings import comparable, readings
from services.screening.matching.score import compare, kind_of
from shared.errors import Invalid

_FEW: Final = 50  # names that bear a word which tells a party
_OTHER_WORDS: Final = 800  # names in which one word is another's: they take part in what a probability means, so that their number is fixed


class Case(NamedTuple):
    """A name asked, and the evidence beside each name it may mean. `truth`: is it that party; `kind`: in which way it came to be; `weighed`: by
    how rare words are on the list, or as if there was none."""

    kind: str
    truth: bool
    weighed: bool
    evidence: list[tuple[float, ...]]


class Listed(NamedTuple):
    """Parties of one kind: names by id, the first of them the one they are known by."""

    kind: str
    names: dict[str, list[str]]


def in_fit_half(key: str) -> bool:
    """The half that is learned from; the other judges. Told by the text alone, so that it stays the same for ever."""
    return hashlib.sha256(key.encode()).digest()[0] % 2 == 0


def read_listed(path: Path) -> list[Listed]:
    """Organisations, persons and craft of a CSV file with the columns id (or entity_id), name, and schema (or entity_type; empty: organisation)."""
    kinds: dict[str, dict[str, list[str]]] = {kind: defaultdict(list) for kind in ("organisation", "person", "craft")}
    for row in _rows(path):
        key, name = row.get("id") or row.get("entity_id"), row.get("name")
        if not key or not name:
            raise Invalid("The list needs the columns id and name in every row.")
        kinds[kind_of(row.get("schema") or row.get("entity_type") or "organisation")][key].append(name)
    return [Listed(kind, dict(names)) for kind, names in kinds.items()]


def read_clean(path: Path) -> list[str]:
    """Names of companies that nobody lists: the column name (or title)."""
    found = {row.get("name") or row.get("title") or "" for row in _rows(path)} - {""}
    if not found:
        raise Invalid("The file of clean names needs the column name.")
    return sorted(found)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


class Examples:
    """Of the fit half: `each` names of every way to write wrongly, of two at once twice as many, and those that mean nobody. Drawn once; which names the
    latter may be taken for is asked of weights."""

    def __init__(self, listed: Listed, clean: Sequence[str], prior: Mapping[str, float], random: Random, each: int) -> None:
        mine = sorted(key for key in listed.names if in_fit_half(key))
        random.shuffle(mine)
        absent = set(mine[: min(3 * each, len(mine) // 4)])
        present = [key for key in mine if key not in absent]
        self._kind = listed.kind
        self._nearby = Nearby(listed.kind, {key: names for key, names in listed.names.items() if key not in absent}, prior)
        self._bare = Corpus(prior)
        self._parties: list[Case] = []
        for kind, text, key in _meant(listed, present, random, each):
            names = listed.names[key]
            self._parties += self._cases(kind, True, text, names[:1] if kind == "alias" else names)
        words = sorted({word for key in present for word in listed.names[key][0].split() if len(word) >= 4})
        for key in islice(present, _OTHER_WORDS):
            name = listed.names[key][0]
            if replaced := other_word(random, name, words):
                self._parties += self._cases("other_word", False, replaced, [name])
        self._nobody = [("absent", listed.names[key][0]) for key in sorted(absent)]
        for name in clean:
            self._nobody += [("clean", name), ("dressed", dressed(random, name))]

    def cases(self, weights: Weights) -> list[Case]:
        """All of them; beside names that mean nobody the names that these weights find."""
        beside = [(kind, text, self._nearby.names(text, weights)) for kind, text in self._nobody]
        return self._parties + [case for kind, text, names in beside for case in self._cases(kind, False, text, names)]

    def _cases(self, kind: str, truth: bool, text: str, names: Iterable[str]) -> list[Case]:
        """Weighed by the list's own words, and as if there was no list, so that the weights hold for both."""
        others = [other for name in dict.fromkeys(names) for other, _ in readings(name)]
        pairs = [(asked, other) for (asked, _), other in product(readings(text), others) if comparable(asked, other)]
        return [
            Case(kind, truth, corpus is not self._bare, [self._evidence(asked, other, corpus) for asked, other in pairs])
            for corpus in (self._nearby.corpus, self._bare)
        ]

    def _evidence(self, a: Prepared, b: Prepared, corpus: Corpus) -> tuple[float, ...]:
        return compare(a, b, corpus, self._kind, self._kind).evidence


def _meant(listed: Listed, keys: list[str], random: Random, each: int) -> Iterator[tuple[str, str, str]]:
    """(way, name written wrongly, whose it is)."""
    ways = PERSONS if listed.kind == "person" else ORGANISATIONS
    telling = telling_words(listed)
    pairs = [("two_ways", random.sample(sorted(ways), 2)) for _ in range(2 * each)]
    for kind, kinds in [(kind, [kind]) for kind in ways for _ in range(each)] + pairs:
        key = random.choice(keys)
        text = miswritten(random, listed.names[key][0], kinds, ways)
        if text and ("dropped" not in kinds or telling.intersection(prepare(text).words)):  # else nobody could say who is meant
            yield kind, text, key
    for key in islice((k for k in keys if len(listed.names[k]) > 1), each if listed.kind == "person" else 0):
        yield "alias", random.choice(listed.names[key][1:]), key


def telling_words(listed: Listed) -> set[str]:
    """Words of three letters or more that few of the names bear."""
    borne = Counter(word for names in listed.names.values() for name in names for word in set(prepare(name).words))
    return {word for word, times in borne.items() if times <= _FEW and len(word) >= 3}
