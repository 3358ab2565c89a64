"""The index: complete, exact about changes, safe on odd input."""

import random

import msgspec
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from services.screening.matching.asking import Search
from services.screening.matching.corpus import Corpus
from services.screening.matching.index import IndexState, NameIndex
from services.screening.matching.model import REVIEW, STRONG
from services.screening.matching.normalise import prepare, screenable
from services.screening.matching.readings import comparable, readings
from services.screening.matching.score import compare
from services.screening.matching.settings import OTHER_KIND_CAP

COMMON = ["trading", "international", "group", "shipping", "star", "stars", "al", "bank", "banks", "of", "7"]


def made_up(chance: random.Random, telling: int = 2) -> str:
    def coined() -> str:
        return "".join(chance.choice("bdfgklmnprstvz") + chance.choice("aeiou") for _ in range(chance.randint(3, 4)))

    form = chance.choice(["LLC", "Ltd", "JSC", "GmbH", ""])
    parts = [coined() for _ in range(chance.randint(1, telling))] + chance.sample(COMMON, chance.randint(1, 2))
    return " ".join([*parts, form]).strip().upper()


def typo(chance: random.Random, word: str) -> str:
    at, letter = chance.randrange(len(word) - 1), chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    return chance.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )


def slips(chance: random.Random, text: str) -> str:
    """Two letters replaced, left out, put in or changed with the next, anywhere: also where a space stands, and in a legal form."""
    for _ in range(2):
        at, letter = chance.randrange(len(text) - 1), chance.choice("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
        this, following, rest = text[at], text[at + 1], text[at + 2 :]
        text = text[:at] + chance.choice([following, letter + following, letter + this + following, following + this]) + rest
    return text


CHANCE = random.Random(7)
NAMES = [made_up(CHANCE) for _ in range(600)]
INDEX = NameIndex()
for at, listed in enumerate(NAMES):
    INDEX.put(str(at), [listed])


@given(st.integers(0, len(NAMES) - 1), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_a_typo_in_the_longest_word_is_found(at: int, seed: int) -> None:
    longest = max(NAMES[at].split(), key=len)
    assume(len(longest) >= 6 and longest.lower() not in COMMON)
    asked = NAMES[at].replace(longest, typo(random.Random(seed), longest), 1)
    assume(not all(INDEX.corpus.knows(word) for word in prepare(asked).words))  # another listed word: no typo
    assert str(at) in [hit.key for hit in INDEX.search([asked], threshold=REVIEW)]


@given(st.integers(0, 2**32), st.sampled_from([0.45, REVIEW, 0.8, STRONG]))
@example(282856268, 0.45)
@settings(max_examples=150, deadline=None)
def test_search_finds_all_that_comparing_with_each_name_would(seed: int, threshold: float) -> None:
    chance = random.Random(seed)
    parts = chance.choice(NAMES).split() + chance.sample(COMMON, 1) * chance.randint(0, 1)
    if chance.random() < 0.5:
        parts[0] = typo(chance, parts[0])
    if chance.random() < 0.3:
        parts[0:2] = ["".join(parts[0:2])]
    if chance.random() < 0.3:
        parts.insert(0, parts[0][: len(parts[0]) // 2])
        parts[1] = parts[1][len(parts[0]) :] or parts[1]
    asked = " ".join(parts)
    expected = {str(at) for at, name in enumerate(NAMES) if _score(asked, name) >= threshold}
    assert {hit.key for hit in INDEX.search([asked], threshold=threshold)} == expected


def test_many_looked_for_together_are_found_as_one_by_one() -> None:
    chance, index = random.Random(3), NameIndex()
    kinds = ["organisation", "person", "vessel"]
    for at, name in enumerate(NAMES):
        index.put(str(at), [name, typo(chance, name)], schema=chance.choice(kinds), countries=chance.choice([[], ["DE"], ["CN"]]))
    asked = [
        Search(
            [typo(chance, name)], chance.choice([0.3, REVIEW]), chance.choice(kinds), chance.choice([[], ["DE"]]), weak=chance.random() < 0.2,
            limit=chance.choice([None, 1]), keys=chance.choice([None, lambda key: int(key) % 2 == 0]),
        )
        for name in chance.sample(NAMES, 60)
    ]  # fmt: skip
    together = index.search_all(asked)
    assert together == [index.search_all([one])[0] for one in asked]
    assert len(list(filter(None, together))) > 15
    assert index.search_all([]) == []


def _score(asked: str, name: str) -> float:
    """The best of all readings of both: VI is a number where it stands alone, and the beginning of a name where it was parted."""
    both = ((a.name, b.name) for a in readings(asked) for b in readings(name) if comparable(a.name, b.name))
    return max(compare(a, b, INDEX.corpus, "organisation", "organisation").score for a, b in both)


@given(st.integers(0, len(NAMES) - 1), st.integers(0, 2**32))
@settings(max_examples=200, deadline=None)
def test_two_edits_anywhere_lose_no_name(at: int, seed: int) -> None:
    """Whatever they do to its legal form, and where words begin."""
    chance = random.Random(seed)
    text = slips(chance, NAMES[at])
    assert screenable(text)
    assert str(at) in [hit.key for hit in INDEX.search([text], threshold=1e-9)]


@given(st.integers(0, 2**32), st.sampled_from([None, INDEX.corpus]))
@settings(max_examples=50, deadline=None)
def test_after_any_changes_the_index_is_as_if_built_anew(seed: int, corpus: Corpus | None) -> None:
    """An index of suppliers, whose corpus is the list's, too; asked in between, so that what it remembers must not outlive a change."""
    chance = random.Random(seed)
    changed, state = NameIndex(corpus), {}
    for _ in range(60):
        key = str(chance.randrange(12))
        if chance.random() < 0.3:
            changed.remove(key)
            state.pop(key, None)
        else:
            state[key] = [chance.choice(NAMES) for _ in range(chance.randint(1, 3))]
            changed.put(key, state[key])
        changed.search([chance.choice(NAMES)], threshold=0.4)
    fresh = NameIndex(corpus)
    for key, names in state.items():
        fresh.put(key, names)
    assert len(changed) == len(fresh) == len(state)
    for asked in NAMES[:40]:
        found = changed.search([asked], threshold=0.4)
        assert found == fresh.search([asked], threshold=0.4)
        assert all(hit.key in changed and hit.name in state[hit.key] for hit in found)


@given(st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_what_is_kept_and_restored_is_the_same_index_and_can_be_changed(seed: int) -> None:
    chance = random.Random(seed)
    one, other = NameIndex(INDEX.corpus), NameIndex(INDEX.corpus)

    def change(*indexes: NameIndex) -> None:
        for _ in range(40):
            key, names, lands = (
                str(chance.randrange(15)),
                [chance.choice(NAMES), chance.choice(NAMES)],
                chance.choice([(), ("DE",), ("TR", "CN")]),
            )
            schema, gone = chance.choice(["organisation", "person", "vessel"]), chance.random() < 0.3
            for index in indexes:
                if gone:
                    index.remove(key)
                else:
                    index.put(key, names[:1], schema=schema, countries=lands, weak=names[1:])

    change(other)
    for key in range(15):  # who was here before and went leaves nothing
        other.remove(str(key))
    change(one)
    other.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(one.state()), type=IndexState))
    for _ in range(2):
        assert len(one) == len(other)
        for asked in NAMES[:40]:
            for schema in ("organisation", "person"):
                found = one.search([asked], schema=schema, countries=["DE"], threshold=0.4)
                assert found == other.search([asked], schema=schema, countries=["DE"], threshold=0.4)
        change(one, other)


def test_suppliers_found_by_a_listed_name_score_as_the_other_way_round() -> None:
    suppliers = NameIndex(INDEX.corpus)
    written = [typo(random.Random(at), name) for at, name in enumerate(NAMES[:200])]
    for at, name in enumerate(written):
        suppliers.put(str(at), [name])
    there = {(h.key, str(at)): h.score for at in range(200) for h in suppliers.search([NAMES[at]], threshold=REVIEW)}
    back = {(str(at), h.key): h.score for at in range(200) for h in INDEX.search([written[at]], threshold=REVIEW)}
    assert there == {pair: score for pair, score in back.items() if int(pair[1]) < 200}
    assert len(there) >= 150
    assert len(INDEX.corpus) == len(NAMES)  # suppliers do not make words common


def test_put_replaces_and_remove_removes() -> None:
    index = NameIndex()
    index.put("k", ["Romashka Zelenograd LLC"])
    index.put("k", ["Berezka Optika LLC"])
    assert index.search(["Romashka Zelenograd LLC"], threshold=0.3) == []
    assert index.search(["Berezka Optika"], threshold=REVIEW)[0].key == "k"
    index.remove("k")
    index.remove("k")
    assert index.search(["Berezka Optika"], threshold=0.1) == []
    assert (len(index), "k" in index) == (0, False)


def test_one_hit_a_party_with_its_best_name_in_order_of_score() -> None:
    index = NameIndex()
    index.put("1", ["Romashka Zelenograd", "Romashka Zelenograd Optika"], countries=["RU"])
    index.put("2", ["Romashka Zelenograd Kontakt Optika"])
    hits = index.search(["nobody", "ROMASHKA ZELENOGRAD OPTIKA"], countries=["DE"], threshold=REVIEW)
    assert [h.key for h in hits] == ["1", "2"]
    assert hits[0].name == "Romashka Zelenograd Optika"
    assert hits[0].asked == "ROMASHKA ZELENOGRAD OPTIKA"
    assert hits[0].score >= 0.95  # although the country differs
    assert [why.kind for why in hits[0].why][-2:] == ["country_differs", "name_only"]
    assert index.search(["Romashka Zelenograd Optika"], threshold=REVIEW, limit=1) == index.search(
        ["Romashka Zelenograd Optika"], threshold=REVIEW, keys=lambda key: key == "1"
    )


def test_a_name_of_common_words_only_is_found_among_many_like_it() -> None:
    index = NameIndex()
    for at, word in enumerate(COMMON * 30):
        index.put(f"noise {at}", [f"INTERNATIONAL TRADING {word} {at} LLC", f"TRADING {word}"])
    index.put("it", ["INTERNATIONAL TRADING COMPANY LLC"])
    for asked in ("International Trading Company Limited Liability Company", "INTERNATIONL TRADING COMPANY, LLC"):
        assert index.search([asked], threshold=REVIEW)[0].key == "it"


def test_names_that_share_but_a_frequent_word_are_passed_over_and_those_of_nothing_else_are_not() -> None:
    index, chance = NameIndex(), random.Random(3)
    for at in range(500):
        index.put(f"noise {at}", [f"{made_up(chance, telling=1)} INTERNATIONAL"])
    index.put("it", ["INTERNATIONAL TRADING"])
    assert {hit.key for hit in index.search(["Zorbax International Trading"], threshold=0.2)} >= {"it"}
    assert index.work.met < 250


def test_weak_aliases_are_never_strong() -> None:
    index = NameIndex()
    index.put("k", ["Romashka Zelenograd"], weak=["Berezka Optika"])
    hit = index.search(["Berezka Optika"], threshold=REVIEW)[0]
    assert hit.score < STRONG
    assert hit.why[-1].kind == "weak_alias"


def test_kinds() -> None:
    index = NameIndex()
    index.put("ship", ["ZELENOGRAD STAR"], schema="vessel")
    index.put("man", ["SMIRNOV, Ivan Petrovich"], schema="person")
    assert index.search(["Zelenograd Star"], threshold=REVIEW) == []
    assert index.search(["Zelenograd Star"], threshold=OTHER_KIND_CAP)[0].why[-1].kind == "other_kind"
    assert index.search(["Zelenograd Star"], schema="Vessel", threshold=STRONG)[0].key == "ship"
    assert index.search(["Ivan Petrovich Smirnov LLC"], threshold=REVIEW)[0].score < STRONG
    assert index.search(["Ivan Smirnov LLC"], threshold=REVIEW) == []
    assert index.search(["Ivan P. Smirnov"], schema="person", threshold=REVIEW)[0].key == "man"


@pytest.mark.parametrize("name", ["", "LLC", "The Co., Ltd.", "\x00\udcff", "…", "a"])
def test_names_that_tell_nothing_find_nothing(name: str) -> None:
    index = NameIndex()
    index.put("k", [name, "LLC"])
    assert "k" in index
    assert index.search([name, "LLC"], threshold=0.0) == []
    index.remove("k")


def test_hostile_names_are_bounded() -> None:
    index = NameIndex()
    monsters = ["x" * 100_000, "y " * 50_000, " ".join(map(str, range(9999))), "\u202e\u0000" * 999, "a-" * 9999]
    for at, name in enumerate(monsters):
        index.put(str(at), [name])
    for name in monsters:
        index.search([name], threshold=REVIEW)


def test_of_names_that_score_the_same_the_same_one_is_told() -> None:
    names = ["PROSPORT & HEALTH", "PROSPORT&HEALTH", "Prosport and Health"]
    told = set()
    for turned in (names, names[::-1], names[1:] + names[:1]):
        index = NameIndex()
        index.put("k", turned)
        told |= {(hit.name, hit.score) for hit in index.search(["Prosport & Health Ltd"], threshold=REVIEW)}
    assert {name for name, _ in told} == {"PROSPORT & HEALTH"}


def test_a_word_that_no_list_bears_any_more_may_be_misspelt_again() -> None:
    """What was remembered of it while it was a word of its own no longer holds."""
    entries = NameIndex()
    suppliers = NameIndex(entries.corpus)
    entries.put("coal", ["Coalminskaya Trading"])
    entries.put("cool", ["Coolminskaya Shipping"])
    suppliers.put("s", ["Coalminskaya Trading"])
    assert not suppliers.search(["Trading Coolminskaya"], threshold=REVIEW)
    entries.remove("cool")
    assert suppliers.search(["Trading Coolminskaya"], threshold=REVIEW)
    assert entries.search(["Trading Coolminskaya"], threshold=REVIEW)
