"""Which names bear a word, against sets that say the same; and what a signature promises, against the edits that there are."""

from array import array
from collections import defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.screening.matching.edits import signature
from services.screening.matching.postings import Postings

CHANGES = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 12)), max_size=80)
SPELLINGS = st.text(alphabet="abcé12", max_size=12)


@settings(deadline=None)
@given(CHANGES, CHANGES)
def test_names_of_a_word_are_those_that_came_and_did_not_go(changes: list[tuple[int, int]], more: list[tuple[int, int]]) -> None:
    known, postings = defaultdict[int, set[int]](set), Postings()
    change(postings, known, changes)
    kept = Postings()
    kept.restore(*postings.state())
    for one in (postings, kept):
        change(one, copy := defaultdict(set, {word: set(names) for word, names in known.items()}), more)
        for word in range(8):
            assert one.numbers(word) == sorted(copy[word])
            assert one.count(word) == len(copy[word])
            near = (word + 1) % 6
            words, alike, names = one.borne(word, array("I", [99, near]), array("d", [0.7, 0.5]))
            assert list(zip(words, alike, strict=True)) == [found for found in ((word, 1.0), (near, 0.5)) if copy[found[0]]]
            assert names == len(copy[word]) + len(copy[near])
            assert one.borne(-1, words, alike) == (words, alike, names)
            for other in range(6):
                if one.count(word) and one.count(other):
                    assert list(one.both(word, other)) == sorted(copy[word] & copy[other])


def change(postings: Postings, known: defaultdict[int, set[int]], changes: list[tuple[int, int]]) -> None:
    """Each comes, or goes where it was."""
    for word, name in changes:
        if name in known[word]:
            known[word].remove(name)
            postings.discard(word, name)
        else:
            first = not postings.tells(word)
            known[word].add(name)
            assert postings.add(word, name) is first
    assert all(postings.tells(word) for word, _ in changes)


def test_what_is_not_there_cannot_go() -> None:
    postings = Postings()
    change(postings, defaultdict(set), [(0, 1), (1, 1), (1, 2)])
    for word, name in ((0, 2), (1, 0), (1, 3), (2, 1), (9, 1)):
        with pytest.raises(KeyError):
            postings.discard(word, name)
    assert (postings.numbers(0), postings.numbers(1)) == ([1], [1, 2])


@given(SPELLINGS, SPELLINGS)
def test_signatures_never_promise_more_edits_than_there_are(one: str, other: str) -> None:
    ours, theirs = signature(one), signature(other)
    has, odd = (1 << 32) - 1, (ours ^ theirs) >> 32
    apart = max((ours & ~theirs & has).bit_count(), (theirs & ~ours & has).bit_count(), (odd.bit_count() + 1) // 2)
    assert apart <= OSA.distance(one, other)
