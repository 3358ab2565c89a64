"""Deletion neighbourhoods: every word within the edits forgiven is found, however the words came in and however they are asked for."""

import random
from array import array
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.screening.matching.deletions import Neighbourhoods
from services.screening.matching.edits import near_which, signature
from services.screening.matching.store import Source

TWO = bytes([2] * 256)  # edits forgiven, whatever the length
WORDS = st.text(alphabet="abcde", min_size=1, max_size=12)


def edits(one: str, other: str, limit: int = 14) -> int:
    """The fewest that suffice, one more than `limit` where that does not."""
    return next((n for n in range(limit + 1) if near_which(one, [other], array("Q", [signature(other)]), bytes([n] * 256))), limit + 1)


def neighbourhoods(words: Sequence[str]) -> Neighbourhoods:
    """Of none of the words yet, which stand under their places."""
    source = Source(list(words), array("Q", [signature(word) for word in words]), array("H", map(len, words)))
    return Neighbourhoods(source)


def holding(words: Sequence[str]) -> Neighbourhoods:
    """The words under their places."""
    near = neighbourhoods(words)
    for number, word in enumerate(words):
        near.add(word, number)
    return near


def forgiven(word: str, other: str) -> bool:
    """As the index promises: 1 edit in words of 3 letters, 2 from 4 on."""
    if min(len(word), len(other)) < 3:
        return False
    edits = {3: 1}
    return 0 < OSA.distance(word, other) <= min(edits.get(len(word), 2), edits.get(len(other), 2))


@given(st.lists(WORDS, max_size=60), st.lists(WORDS, min_size=1, max_size=10))
@settings(max_examples=200, deadline=None)
def test_no_neighbour_is_missed_and_edits_are_right(known: list[str], asked: list[str]) -> None:
    near = holding(known)
    for word in asked:
        found = dict(zip(*near.near(word, TWO), strict=True))
        assert {n for n, other in enumerate(known) if forgiven(word, other)} <= found.keys()
        for n, alike in found.items():
            edits = OSA.distance(word, known[n])
            assert 0 < edits <= 2
            assert alike == 1 - edits / max(len(word), len(known[n]))


@given(st.text(max_size=14), st.text(max_size=14), st.integers(0, 6))
@settings(max_examples=500, deadline=None)
def test_edits_are_counted_as_rapidfuzz_does(one: str, other: str, limit: int) -> None:
    assert edits(one, other) == OSA.distance(one, other)
    assert edits(one, other, limit) == min(limit + 1, OSA.distance(one, other))


@given(st.text("ab", max_size=14), st.text("ab", max_size=14), st.integers(0, 6))
@settings(max_examples=500, deadline=None)
def test_edits_of_words_that_are_much_alike(one: str, other: str, limit: int) -> None:
    assert edits(one, other) == OSA.distance(one, other)
    assert edits(one, other, limit) == min(limit + 1, OSA.distance(one, other))


def test_words_that_come_in_while_others_are_asked_for() -> None:
    chance = random.Random(3)
    words = ["".join(chance.choice("abcdefghij") for _ in range(chance.randint(3, 11))) for _ in range(4_000)]
    at_once, piecemeal = holding(words), neighbourhoods(words)
    for number, word in enumerate(words):
        piecemeal.add(word, number)
        if number % 97 == 0:
            assert number in piecemeal.near("x" + word, TWO)[0]
    for word in chance.sample(words, 200):
        one, other = (dict(zip(*them.near(word, TWO), strict=True)) for them in (at_once, piecemeal))
        assert all(
            not forgiven(word, words[n]) for n in one.keys() ^ other.keys()
        )  # each index has its own hashes, and so its own few others


def test_numbers_have_no_neighbours_and_two_letters_are_the_rest_of_three() -> None:
    near = holding(("12345", "ab", "a", "1234567890", "abc"))
    assert [set(zip(*near.near(word, TWO), strict=True)) for word in ("12345", "abd", "12346", "", "b", "cb")] == [
        set(),
        {(1, 1 - 1 / 3), (4, 1 - 1 / 3)},
        set(),
        set(),
        set(),
        set(),
    ]


def test_digits_must_be_the_same_and_what_is_known_is_no_misspelling() -> None:
    near = holding(("plant12x", "plant13x", "plantain", "plantane"))
    assert set(near.near("plant12y", TWO)[0]) == {0}
    assert set(near.near("plantan", TWO)[0]) == {2, 3}
    assert set(near.near("plantan", TWO, {"plantane"})[0]) == {2}
    assert set(near.near("plintan", bytes([1] * 256))[0]) == set()
