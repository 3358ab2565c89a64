"""Spellings within so many edits, two letters that changed places among them, are all found: also where the edits meet the seams of their parts."""

from array import array

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.screening.matching.edits import signature
from services.screening.matching.segments import Segments
from services.screening.matching.store import Source

SHORTEST = 6
SPELLINGS = st.text(alphabet="abc", min_size=4, max_size=14)


def holding(spellings: list[str], edits: int) -> Segments:
    """The spellings under their places."""
    source = Source(spellings, array("Q", [signature(one) for one in spellings]), array("H", map(len, spellings)))
    found = Segments(edits, SHORTEST, source)
    for number, one in enumerate(spellings):
        found.add(one, number)
    return found


def near(asked: str, spellings: list[str], edits: int) -> dict[int, int]:
    """By looking at each."""
    far = {n: OSA.distance(asked, one) for n, one in enumerate(spellings) if len(one) >= SHORTEST}
    return {n: distance for n, distance in far.items() if distance <= edits}


@given(SPELLINGS, st.lists(SPELLINGS, max_size=40), st.integers(1, 3))
@settings(max_examples=300, deadline=None)
def test_none_within_the_edits_is_missed(asked: str, spellings: list[str], edits: int) -> None:
    assert holding(spellings, edits).near(asked) == near(asked, spellings, edits)


@given(SPELLINGS.filter(lambda one: len(one) >= SHORTEST), st.lists(st.tuples(st.integers(0, 12), st.sampled_from("abcx")), max_size=2))
@settings(max_examples=500, deadline=None)
def test_slips_are_undone(spelt: str, slips: list[tuple[int, str]]) -> None:
    slipped = spelt
    for at, letter in slips:
        place = at % (len(slipped) - 1)
        if letter == "x":  # the letters change places
            slipped = slipped[:place] + slipped[place + 1] + slipped[place] + slipped[place + 2 :]
        else:
            slipped = slipped[:place] + letter + slipped[place:]
    assert (0 in holding([spelt], 2).near(slipped)) == (OSA.distance(spelt, slipped) <= 2)


@pytest.mark.parametrize("slipped", ["teshliovoooo", "teshilvoooo", "tsehiolvoooo", "tesihlovowooo"])
def test_letters_that_change_places_where_parts_meet(slipped: str) -> None:
    assert holding(["teshilovoooo"], 2).near(slipped)
