"""Deletion neighbourhoods: every word within the edits forgiven is found, however the words came in and however they are asked for."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.screening.matching.deletions import Neighbourhoods

WORDS = st.text(alphabet="abcde", min_size=1, max_size=12)


def found_by(near: Neighbourhoods, words: list[str]) -> list[set[int]]:
    """Numbers of the words near each."""
    found: list[set[int]] = [set() for _ in words]
    for row, number in zip(*(column.tolist() for column in near.near(words)), strict=True):
        found[row].add(number)
    return found


def forgiven(word: str, other: str) -> bool:
    """As the index promises: 1 edit in words of 3 letters, 2 from 4 on."""
    if min(len(word), len(other)) < 3:
        return False
    edits = {3: 1}
    return bool(OSA.distance(word, other) <= min(edits.get(len(word), 2), edits.get(len(other), 2)))


@given(st.lists(WORDS, max_size=60), st.lists(WORDS, min_size=1, max_size=10))
@settings(max_examples=200, deadline=None)
def test_no_neighbour_is_missed(known: list[str], asked: list[str]) -> None:
    near = Neighbourhoods()
    for number, word in enumerate(known):
        near.add(word, number)
    for word, found in zip(asked, found_by(near, asked), strict=True):
        assert {n for n, other in enumerate(known) if forgiven(word, other)} <= found


def test_asked_together_or_one_by_one_while_words_come_in() -> None:
    chance = random.Random(3)
    words = ["".join(chance.choice("abcdefghij") for _ in range(chance.randint(3, 11))) for _ in range(4_000)]
    at_once, piecemeal = Neighbourhoods(), Neighbourhoods()
    for number, word in enumerate(words):
        at_once.add(word, number)
        piecemeal.add(word, number)
        if number % 97 == 0:
            assert number in found_by(piecemeal, [word])[0]
    asked = chance.sample(words, 200)
    for word, one, other in zip(asked, found_by(at_once, asked), [found_by(piecemeal, [word])[0] for word in asked], strict=True):
        assert words.index(word) in one
        assert all(not forgiven(word, words[n]) for n in one ^ other)  # each index has its own hashes, and so its own few others


def test_numbers_have_no_neighbours_and_two_letters_are_the_rest_of_three() -> None:
    near = Neighbourhoods()
    for number, word in enumerate(("12345", "ab", "a", "1234567890", "abc")):
        near.add(word, number)
    assert found_by(near, ["12345", "ab", "12346", "", "b", "cb"]) == [set(), {1, 4}, set(), set(), set(), set()]
    assert found_by(near, []) == []


def test_few_others_are_found() -> None:
    """Who verifies what is found must not be given the whole vocabulary."""
    chance = random.Random(5)
    words = list({"".join(chance.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(9)) for _ in range(5_000)})
    near = Neighbourhoods()
    for number, word in enumerate(words):
        near.add(word, number)
    assert sum(map(len, found_by(near, words))) < 1.1 * len(words)
